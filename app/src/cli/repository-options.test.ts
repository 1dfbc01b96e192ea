import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { recordedContext } from '../testing/context.ts';
import { chooseLocation, choosePassword, resolveAccess } from './repository-options.ts';
import { Secret } from './secret.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-options-'));
afterAll(() => rmSync(directory, { recursive: true }));

const globals = { json: false, quiet: false, color: true, lock: true, retryLock: 0 };
const everywhere = {
  HOLDFAST_REPOSITORY: '/holdfast',
  HOLDFAST_PASSWORD: 'h',
  RESTIC_REPOSITORY_FILE: '/restic-file',
  RESTIC_PASSWORD: 'r',
  RESTIC_PASSWORD_FILE: '/restic-password',
};

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

describe('options come before HOLDFAST variables, those before RESTIC variables', () => {
  test.each([
    [{ repo: '/flag' }, everywhere, '--repo'],
    [{ repositoryFile: '/f' }, everywhere, '--repository-file'],
    [{}, everywhere, 'HOLDFAST_REPOSITORY'],
    [{}, { ...everywhere, HOLDFAST_REPOSITORY: '' }, 'RESTIC_REPOSITORY_FILE'],
    [{}, {}, undefined],
  ])('the address, case %#', (flags, environment, name) => {
    expect(chooseLocation(flags, environment)?.name).toBe(name);
  });

  test.each([
    [{ passwordCommand: 'c' }, everywhere, '--password-command'],
    [{}, everywhere, 'HOLDFAST_PASSWORD'],
    [{}, { ...everywhere, HOLDFAST_PASSWORD_COMMAND: 'c' }, 'HOLDFAST_PASSWORD_COMMAND'],
    [{}, { RESTIC_PASSWORD: 'r', RESTIC_PASSWORD_FILE: '/f' }, 'RESTIC_PASSWORD_FILE'],
    [{}, { RESTIC_PASSWORD: 'r' }, 'RESTIC_PASSWORD'],
    [{}, {}, undefined],
  ])('the password, case %#', (flags, environment, name) => {
    expect(choosePassword(flags, environment)?.name).toBe(name);
  });
});

test('two answers to one question are refused', () => {
  expect(() => chooseLocation({ repo: 'a', repositoryFile: 'b' }, {})).toThrow(
    '--repo and --repository-file contradict each other',
  );
  expect(() => choosePassword({ passwordFile: 'a', passwordCommand: 'b' }, {})).toThrow('contradict');
});

test.each([
  ['a line end is no part of it', 'correct horse\n', 'correct horse'],
  ['white space around it neither', ' \tcorrect horse \r\n', 'correct horse'],
  ['nor a byte order mark', '\ufeffcorrect horse', 'correct horse'],
  ['UTF-16 is understood', Buffer.from('\ufeffcörrect', 'utf16le'), 'cörrect'],
])('in a password file %s', async (_name, content, password) => {
  const flags = { repo: '/srv', passwordFile: file('password', content) };
  expect((await resolveAccess(flags, globals, recordedContext())).password.reveal()).toBe(password);
});

test('address and password can both come from files', async () => {
  const environment = {
    HOLDFAST_REPOSITORY_FILE: file('address', '/srv/backup\n'),
    HOLDFAST_PASSWORD_FILE: file('secret', 'x\n'),
  };
  const access = await resolveAccess({}, { ...globals, retryLock: 5000 }, recordedContext({ environment }));
  expect(access).toMatchObject({ location: '/srv/backup', lock: true, retryLock: 5000 });
});

test('a file that is not there is named, with what is wrong', async () => {
  const failing = resolveAccess({ repo: '/srv', passwordFile: '/no/such' }, globals, recordedContext());
  await expect(failing).rejects.toMatchObject({
    code: 'usage',
    subject: '/no/such',
    message: /does not exist/,
  });
});

describe('where no password is given', () => {
  test('a person is asked once to open, twice to create', async () => {
    const questions: string[] = [];
    const context = recordedContext({
      askSecret: async (question) => {
        questions.push(question);
        return new Secret('typed');
      },
    });
    await resolveAccess({ repo: '/srv' }, globals, context);
    expect(questions).toHaveLength(1);
    await resolveAccess({ repo: '/srv' }, globals, context, 'create');
    expect(questions).toHaveLength(3);
  });

  test('a slip while creating is noticed', async () => {
    const typed = ['one', 'two'];
    const context = recordedContext({ askSecret: async () => new Secret(typed.shift() ?? '') });
    await expect(resolveAccess({ repo: '/srv' }, globals, context, 'create')).rejects.toThrow('differ');
  });

  test('without a terminal the ways to give one are named', async () => {
    const failing = resolveAccess({ repo: '/srv' }, globals, recordedContext());
    await expect(failing).rejects.toMatchObject({
      code: 'usage',
      hint: expect.stringContaining('--password-file'),
    });
  });
});

test('an empty password is none', async () => {
  const flags = { repo: '/srv', passwordFile: file('empty', '\n') };
  await expect(resolveAccess(flags, globals, recordedContext())).rejects.toThrow('the password is empty');
});
