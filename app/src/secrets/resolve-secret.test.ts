import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SecretReference } from '../policy/model.ts';
import { accessOf } from './repository-access.ts';
import { resolveSecret, resolveText } from './resolve-secret.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'holdfast-secrets-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const { signal } = new AbortController();
const environment = { PATH: process.env['PATH'], TOKEN: 'from the environment\n', EMPTY: '' };
const surroundings = { environment, signal };

function file(text: string): SecretReference {
  const name = path.join(directory, 'secret');
  writeFileSync(name, text);
  chmodSync(name, 0o600);
  return { kind: 'file', path: name };
}

async function revealed(reference: SecretReference): Promise<string> {
  return (await resolveSecret(reference, surroundings)).reveal();
}

test('a secret comes from a variable, a file or a command, without its last newline', async () => {
  expect(await revealed({ kind: 'env', name: 'TOKEN' })).toBe('from the environment');
  expect(await revealed(file(' a b \r\n'))).toBe(' a b ');
  expect(await revealed(file('two\n\n'))).toBe('two\n');
  expect(await revealed({ kind: 'command', command: 'printf \'%s\\n\' "$TOKEN" | tr a-z A-Z' })).toBe(
    'FROM THE ENVIRONMENT\n',
  );
});

test('what is written out is handed on as if it were one', async () => {
  const secret = await resolveText({ kind: 'plain', text: 's3:https://host/b' }, surroundings);
  expect([secret.reveal(), `${secret}`]).toEqual(['s3:https://host/b', '[secret]']);
});

const WORD = 'xK9-planted';

test.each<[string, SecretReference, RegExp]>([
  ['a variable that is not set', { kind: 'env', name: 'NOPE' }, /not set for this process/],
  ['an empty one', { kind: 'env', name: 'EMPTY' }, /empty/],
  ['a file that is not there', { kind: 'file', path: '/nonexistent/x' }, /does not exist/],
  ['a directory', { kind: 'file', path: '/' }, /directory/],
  [
    'a command that fails',
    { kind: 'command', command: `echo ${WORD}; echo ${WORD} >&2; exit 3` },
    /ended with 3/,
  ],
  ['a command that is not there', { kind: 'command', command: `nosuchprogram ${WORD}` }, /ended with 127/],
  ['a silent command', { kind: 'command', command: 'true' }, /empty/],
  [
    'a command that never ends to print',
    { kind: 'command', command: `yes ${WORD}` },
    /more than 65536 bytes/,
  ],
])('%s is named, and nothing of what it said', async (_, reference, message) => {
  const error = await resolveSecret(reference, surroundings).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'secret.unavailable', message: expect.stringMatching(message) });
  const { message: said, subject, hint, stack } = error as Error & { subject: string; hint: string };
  expect([said, subject, hint, stack].join(' ')).not.toContain(WORD);
});

test('a file that is no secret by its size is refused', async () => {
  await expect(revealed(file('x'.repeat(70_000)))).rejects.toMatchObject({ code: 'secret.unavailable' });
});

test('a command that hangs is ended in time, with all that it has started', async () => {
  const mark = path.join(directory, 'pid');
  const command = `sleep 60 & echo $! > ${mark}; wait`;
  await expect(resolveSecret({ kind: 'command', command }, { ...surroundings, limit: 300 })).rejects.toThrow(
    /did not end within 0.3 s/,
  );
  const sleeper = Number(readFileSync(mark, 'utf8'));
  await expect.poll(() => isRunning(sleeper)).toBe(false);
});

test('a command is ended with what wanted its secret', async () => {
  const stop = new AbortController();
  const waiting = resolveSecret(
    { kind: 'command', command: 'sleep 60' },
    { environment, signal: stop.signal },
  );
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
});

test('a repository of a policy is opened with what its references hold', async () => {
  const access = await accessOf(
    {
      url: { kind: 'env', name: 'TOKEN' },
      password: file('sesame\n'),
      options: [
        { name: 'rest.username', value: { kind: 'plain', text: 'anna' } },
        { name: 'rest.password', value: { kind: 'env', name: 'TOKEN' } },
        { name: 'rest.connections', value: { kind: 'plain', text: '9' } },
      ],
    },
    { ...surroundings, homeDirectory: '/home/anna' },
  );
  expect(access).toMatchObject({
    location: 'from the environment',
    cacheDirectory: '/home/anna/.cache/holdfast',
    lock: true,
    settings: { restLogin: { username: 'anna', password: 'from the environment' } },
  });
  expect(access.password.reveal()).toBe('sesame');
  expect([...(access.settings?.extended ?? [])]).toEqual([['rest.connections', '9']]);
});

/** A process that has ended and that nobody has asked for is a zombie. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
