import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { commandLine } from './command-line.ts';

const machine = commandLine({});
afterAll(() => machine[Symbol.dispose]());

const COUNTED = /✔ ([\d,]+) of ([\d,]+) files/g;

test('the demo brings more than 10,000 files back, of two points', async () => {
  const place = path.join(machine.directory, 'a place with spaces');
  const { exitCode, stdout, stderr } = await machine.run(['demo', '--directory', place]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const counts = [...stdout.matchAll(COUNTED)].map(([, back, all]) => [back, all]);
  expect(counts).toHaveLength(2);
  for (const [back, all] of counts) {
    expect(back).toBe(all);
    expect(Number(back?.replaceAll(',', ''))).toBeGreaterThan(10_000);
  }
  for (const line of stdout.split('\n').filter((text) => !text.includes('a place with spaces'))) {
    expect(line.length).toBeLessThanOrEqual(100);
  }
});

test('a directory that somebody else uses is not touched', async () => {
  const place = path.join(machine.directory, 'mine');
  mkdirSync(path.join(place, 'shop'), { recursive: true });
  writeFileSync(path.join(place, 'shop', 'keep me'), 'precious');
  const { exitCode, stderr } = await machine.run(['demo', '--directory', place]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('target.not-empty');
  expect(existsSync(path.join(place, 'shop', 'keep me'))).toBe(true);
});
