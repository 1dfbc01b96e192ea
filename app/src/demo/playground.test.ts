import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { preparePlayground } from './playground.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'holdfast-playground-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('the demo can be played again in its own directory', async () => {
  const first = await preparePlayground(directory);
  mkdirSync(first.place('shop'));
  writeFileSync(path.join(first.place('shop'), 'left over'), '');
  const second = await preparePlayground(directory);
  expect(existsSync(second.place('shop'))).toBe(false);
});

test('a directory with something else in it is not touched', async () => {
  mkdirSync(path.join(directory, 'shop'));
  await expect(preparePlayground(directory)).rejects.toMatchObject({ code: 'target.not-empty' });
  expect(existsSync(path.join(directory, 'shop'))).toBe(true);
});

test('nothing is removed once the marker has gone', async () => {
  const playground = await preparePlayground(directory);
  mkdirSync(playground.place('shop'));
  rmSync(path.join(directory, '.holdfast-demo'));
  await expect(playground.clear('shop')).rejects.toMatchObject({ code: 'target.unsafe' });
  expect(existsSync(playground.place('shop'))).toBe(true);
});
