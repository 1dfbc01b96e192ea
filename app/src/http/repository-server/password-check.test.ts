import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '@holdfast/engine';
import { hash } from 'bcryptjs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { passwordCheck } from './password-check.ts';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'holdfast-users-'));
  file = path.join(directory, 'users');
});
afterEach(() => rmSync(directory, { recursive: true }));

test('who guesses many passwords at once is told to wait; who is known gets in meanwhile', async () => {
  writeFileSync(file, `anna:${await hash('right', 8)}\n`);
  const check = await passwordCheck(file, systemClock);
  expect(await check('anna', 'right')).toBe(true);
  const guessing = Promise.allSettled(
    Array.from({ length: 40 }, (_, index) => check('anna', `guess ${index}`)),
  );
  expect(await check('anna', 'right')).toBe(true);
  const outcomes = await guessing;
  const refused = outcomes.filter(({ status }) => status === 'rejected');
  expect(refused.length).toBeGreaterThan(0);
  for (const outcome of refused) expect(outcome).toMatchObject({ reason: { status: 503 } });
  expect(outcomes).not.toContainEqual({ status: 'fulfilled', value: true });
});

test('somebody unknown is not let in with the password of another', async () => {
  writeFileSync(file, `anna:${await hash('right', 4)}\n`);
  const check = await passwordCheck(file, systemClock);
  expect(await check('bert', 'right')).toBe(false);
  expect(await check('bert', 'right')).toBe(false);
});

test('a file that is not there is said to be missing at once', async () => {
  await expect(passwordCheck(file, systemClock)).rejects.toMatchObject({ code: 'usage', subject: file });
});
