import { Failure } from '@holdfast/engine';
import { describe, expect, test } from 'vitest';
import { allCommands, type CommandParts } from '../testing/all-commands.ts';
import { checkOf } from '../testing/check-result.ts';
import { recordedContext } from '../testing/context.ts';
import { figuresOf, idOf, snapshotOf } from '../testing/snapshots.ts';
import type { BackupRequest } from './commands/files/backup.ts';
import type { Context } from './context.ts';
import { runProgram } from './program.ts';

const environment = { HOLDFAST_REPOSITORY: '/srv/backup', HOLDFAST_PASSWORD: 'correct horse' };

async function run(words: string[], parts: Partial<CommandParts> = {}, changes: Partial<Context> = {}) {
  const context = recordedContext({ environment, ...changes });
  const exitCode = await runProgram(words, context, { version: '1.2.3', registrations: allCommands(parts) });
  return { exitCode, ...context.written };
}

const COMMANDS = [
  ['points'],
  ['demo'],
  ['serve'],
  ['doctor', 'storage'],
  ...['check', 'explain', 'schema'].map((verb) => ['policy', verb]),
  ['files', 'backup'],
  ['files', 'restore'],
  ...['init', 'check', 'copy', 'forget', 'prune', 'stats', 'ls', 'find', 'diff', 'dump', 'unlock'].map(
    (verb) => ['repo', verb],
  ),
  ...['list', 'add', 'remove', 'passwd'].map((verb) => ['repo', 'key', verb]),
  ['repo', 'repair'],
  ...['index', 'packs', 'snapshots'].map((part) => ['repo', 'repair', part]),
  ['help'],
].map((words) => [words.join(' ')]);

describe('help', () => {
  test.each(COMMANDS)('of %s has examples that begin with the program, and fits a page', async (words) => {
    const { exitCode, stdout } = await run([...words.split(' '), '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/\nExamples:\n {2}(.* \| )?holdfast /);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
  });

  test.each(COMMANDS)('"holdfast help %s" says the same', async (words) => {
    const asked = await run(['help', ...words.split(' ')]);
    expect(asked).toEqual(await run([...words.split(' '), '--help']));
  });

  test.each(COMMANDS)('the global options stand after %s too', async (words) => {
    const { stdout } = await run([...words.split(' '), '--help']);
    for (const option of ['--json', '--quiet', '--no-color', '--no-lock', '--retry-lock']) {
      expect(stdout).toContain(option);
    }
  });

  test('of an error is its page', async () => {
    expect((await run(['help', 'repository.locked'])).stdout).toContain('# repository.locked');
  });

  test('without a verb a group shows its help and did nothing', async () => {
    const { exitCode, stderr } = await run(['repo']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('Usage: holdfast repo');
  });
});

test('the version is printed', async () => {
  expect(await run(['--version'])).toMatchObject({ exitCode: 0, stdout: '1.2.3\n' });
});

describe('a misspelt line is a usage failure with a suggestion', () => {
  test.each([
    [['pionts'], 'Did you mean points?'],
    [['files', 'backup', '/home', '--exclud', 'x'], 'Did you mean --exclude?'],
    [['repo', 'chek'], 'Did you mean check?'],
    [['repo', 'key', 'lst'], 'Did you mean list?'],
    [['files', 'restore', 'latest'], '--help shows what there is'],
    [['files', 'backup', '/home', '--compression', 'much'], '--help shows what there is'],
    [['files', 'backup', '/home', '--exclude-larger-than', 'much'], 'such as 500M'],
    [['points', '--retry-lock', 'soon'], 'such as 30s'],
  ])('%j', async (words, suggestion) => {
    const { exitCode, stderr, stdout } = await run(words);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^✖ /);
    expect(stderr).toContain('usage (exit 2)');
    expect(stderr.replace(/\s+/g, ' ')).toContain(suggestion);
    expect(stdout).toBe('');
  });
});

describe('global options are understood wherever they stand', () => {
  const listPoints = async () => [snapshotOf('1a2b3c4d')];

  test.each([[['points', '--json']], [['--json', 'points']]])('%j', async (words) => {
    const { stdout, exitCode } = await run(words, { listPoints });
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ type: 'point', id: idOf('1a2b3c4d') });
  });

  test('the repository’s lock options reach the engine', async () => {
    const seen: unknown[] = [];
    await run(['--retry-lock', '5m', 'points', '--no-lock'], {
      listPoints: async (access) => {
        seen.push(access);
        return [];
      },
    });
    expect(seen).toMatchObject([{ location: '/srv/backup', lock: false, retryLock: 300_000 }]);
  });
});

describe('files backup', () => {
  const summary = {
    snapshot: idOf('1a2b3c4d'),
    figures: figuresOf(),
    milliseconds: 1400,
    unreadable: [],
    changedWhileRead: [],
    notKept: [],
  };

  async function request(words: string[]): Promise<BackupRequest | undefined> {
    let seen: BackupRequest | undefined;
    await run(['files', 'backup', ...words], {
      backupFiles: async (_access, given) => {
        seen = given;
        return summary;
      },
    });
    return seen;
  }

  test('says what happened and what to do next', async () => {
    const { exitCode, stdout } = await run(['files', 'backup', '/home'], {
      backupFiles: async () => summary,
    });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('✔ Saved snapshot 1a2b3c4d');
    expect(stdout).toContain('Next: holdfast files restore 1a2b3c4d --target DIR');
  });

  test('hands restic’s options on under their names', async () => {
    const given = await request(
      `/home /etc -e *.tmp -e cache --exclude-larger-than 1M -nx --tag a,b --tag c -H db-2 --compression max --no-scan
       --limit-upload 500 --time 2026-11-21T10:44:07Z`.split(/\s+/),
    );
    expect(given).toMatchObject({
      paths: ['/home', '/etc'],
      exclude: ['*.tmp', 'cache'],
      excludeLargerThan: 1024 ** 2,
      dryRun: true,
      oneFileSystem: true,
      tag: [['a', 'b'], ['c']],
      host: 'db-2',
      compression: 'max',
      scan: false,
      limitUpload: 500,
      time: Date.parse('2026-11-21T10:44:07Z'),
    });
  });

  test('takes the value of an option even when it looks like another option', async () => {
    expect(await request(['/home', '--exclude', '-q', '--', '--json'])).toMatchObject({
      paths: ['/home', '--json'],
      exclude: ['-q'],
    });
  });

  test.each([
    [[]],
    [['--stdin', '/home']],
    [['/home', '--force', '--parent', 'latest']],
    [['/home', '--nice', '20']],
  ])('refuses %j before anything is read', async (words) => {
    expect((await run(['files', 'backup', ...words])).exitCode).toBe(2);
  });

  test('ends with 3 when files could not be read, and lists them', async () => {
    const unreadable = [{ path: '/home/secret', message: 'permission denied' }];
    const result = await run(['files', 'backup', '/home'], {
      backupFiles: async () => ({ ...summary, unreadable }),
    });
    expect(result.exitCode).toBe(3);
    expect(result.stdout).toContain('✖ /home/secret: permission denied');
    expect(result.stderr).toContain('files backup is incomplete: 1 file could not be read');
  });

  test('with --quiet says nothing when all is well', async () => {
    const result = await run(['files', 'backup', '/home', '-q'], { backupFiles: async () => summary });
    expect(result).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });
});

test('repo check with damage shows it even when quiet, and ends with 1', async () => {
  const findings = [
    { severity: 'error', code: 'pack.blob-damaged', subject: 'pack 1a2b3c4d', message: 'a blob is damaged' },
  ] as const;
  const checkRepository = async () => checkOf({ findings });
  const { exitCode, stdout, stderr } = await run(['repo', 'check', '--read-data', '-q'], { checkRepository });
  expect(exitCode).toBe(1);
  expect(stdout).toContain('pack 1a2b3c4d: a blob is damaged');
  expect(stderr).toContain('repo check found damage: 1 error');
});

describe('repo forget', () => {
  function planned(calls: string[]): Partial<CommandParts> {
    const keep = [{ snapshot: snapshotOf('2b'), reasons: ['daily snapshot'] }];
    return {
      planForget: async () => ({
        plan: { groups: [{ name: 'host db-2', keep, remove: [snapshotOf('1a')] }] },
        execute: async () => {
          calls.push('execute');
          return { forgotten: 1 };
        },
        async [Symbol.asyncDispose]() {
          calls.push('dispose');
        },
      }),
    };
  }

  test('shows the plan with its reasons, executes it once and gives back what it held', async () => {
    const calls: string[] = [];
    const { stdout } = await run(['repo', 'forget', '--keep-daily', '1'], planned(calls));
    expect(stdout).toContain('daily snapshot');
    expect(stdout).toContain('✔ Forgot 1 point');
    expect(calls).toEqual(['execute', 'dispose']);
  });

  test('with --dry-run only shows it', async () => {
    const calls: string[] = [];
    const { stdout } = await run(['repo', 'forget', '--keep-daily', '1', '-n'], planned(calls));
    expect(stdout).toContain('1 point would be forgotten, 1 point kept');
    expect(calls).toEqual(['dispose']);
  });

  test('without any rule forgets nothing', async () => {
    const { exitCode, stderr } = await run(['repo', 'forget']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('everything would be forgotten');
  });
});

describe('streams', () => {
  const entry = {
    path: '/a\x1b[2J',
    type: 'file',
    mode: 0o644,
    user: 'ann',
    group: 'ann',
    size: 5,
    modified: 0,
  } as const;

  test('ls lists as it comes, and no name steers the terminal', async () => {
    async function* listEntries() {
      yield entry;
    }
    expect((await run(['repo', 'ls', 'latest'], { listEntries })).stdout).toBe('/a\\x1b[2J\n');
    expect((await run(['repo', 'ls', '-l', 'latest'], { listEntries })).stdout).toMatch(
      /^-rw-r--r-- ann:ann /,
    );
    const json = (await run(['repo', 'ls', 'latest', '--json'], { listEntries })).stdout;
    expect(JSON.parse(json)).toMatchObject({ type: 'entry', kind: 'file', path: '/a\x1b[2J' });
  });

  test('diff ends with the sum', async () => {
    async function* compareSnapshots() {
      yield { modifier: '+', path: '/new' };
      const nothing = { files: 0, dirs: 0, others: 0, dataBlobs: 0, treeBlobs: 0, bytes: 0 };
      return { changedFiles: 0, added: { ...nothing, files: 1, dataBlobs: 1, bytes: 5 }, removed: nothing };
    }
    const { stdout } = await run(['repo', 'diff', 'a', 'b'], { compareSnapshots });
    expect(stdout).toBe(
      '+    /new\n\nfiles  1 added, 0 removed, 0 changed\ndata   5 B in 1 piece added, 0 B in 0 pieces removed\n',
    );
  });

  test('dump writes bytes as they are, but no archive on a terminal', async () => {
    async function* bytes() {
      yield Buffer.from('content');
    }
    const dumpContent = async () =>
      ({ kind: 'archive', bytes: bytes(), [Symbol.asyncDispose]: async () => {} }) as const;
    expect((await run(['repo', 'dump', 'latest', '/srv'], { dumpContent })).stdout).toBe('content');
    const terminal = recordedContext({}, { interactive: true }).stdout;
    expect(
      (await run(['repo', 'dump', 'latest', '/srv'], { dumpContent }, { stdout: terminal })).exitCode,
    ).toBe(2);
  });
});

describe('a failure of the engine', () => {
  const listPoints = async () => {
    throw new Failure('repository.wrong-password', 'the password opens no key', { subject: '/srv/backup' });
  };

  test('is told to a person on standard error, with its exit code', async () => {
    const { exitCode, stdout, stderr } = await run(['points'], { listPoints });
    expect(exitCode).toBe(12);
    expect(stdout).toBe('');
    expect(stderr).toContain('✖ points stopped: the password opens no key');
  });

  test('is one JSON line for a program', async () => {
    const { stdout, stderr } = await run(['points', '--json'], { listPoints });
    expect(JSON.parse(stdout)).toMatchObject({
      type: 'error',
      code: 'repository.wrong-password',
      exitCode: 12,
    });
    expect(stderr).toBe('');
  });

  test('that nobody foresaw is internal, and shows where it came from only when asked', async () => {
    const broken = { listPoints: async () => Promise.reject(new TypeError('x is undefined')) };
    const { exitCode, stderr } = await run(['points'], broken);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('HOLDFAST_DEBUG=1');
    expect(stderr).not.toContain('TypeError');
    const debug = { environment: { ...environment, HOLDFAST_DEBUG: '1' } };
    expect((await run(['points'], broken, debug)).stderr).toContain('TypeError');
  });
});

test('no password is ever printed, whatever fails', async () => {
  const listPoints: CommandParts['listPoints'] = async (access) => {
    throw new Error(`failed with ${JSON.stringify(access)} ${access.password}`);
  };
  const debug = { environment: { ...environment, HOLDFAST_DEBUG: '1' } };
  const { stdout, stderr } = await run(['points'], { listPoints }, debug);
  expect(stdout + stderr).toContain('[secret]');
  expect(stdout + stderr).not.toContain('correct horse');
});
