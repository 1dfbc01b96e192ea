import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '@holdfast/engine';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { styleFor } from '../cli/style.ts';
import { operations } from '../operations/operations.ts';
import { runDemo } from './run-demo.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'holdfast-run-demo-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('without a PostgreSQL it says what to install, and tells of files', async () => {
  const machine = {
    clock: systemClock,
    random: Math.random,
    environment: {},
    timeZone: 'UTC',
    workingDirectory: directory,
    homeDirectory: directory,
    hostname: 'here',
    username: 'somebody',
    standardInput: (async function* () {})(),
    program: ['node'] as const,
    orders: undefined,
    version: '1.2.3',
  };
  const enough = new AbortController();
  let told = '';
  const stage = {
    style: styleFor({ colour: false }),
    tell(text: string) {
      told += text;
      if (told.includes('tree of files')) enough.abort(new Error('heard enough'));
    },
  };
  const find = async () => ({ missing: 'there is none', remedy: 'Install one.' });
  const demo = runDemo(machine, operations, find);
  await expect(demo({ story: 'policy' }, stage, enough.signal)).rejects.toThrow('heard enough');
  expect(told).toMatch(/^▲ .*: there is none\.\n {2}Install one\.\n\nHoldfast · a real tree of files/);
});
