import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { chown, mkdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrate } from '../../app/src/state/migrate.ts';
import { openState } from '../../app/src/state/state.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { startPostgres } from '../servers/postgres.ts';
import { ControlScene, PlaneProcess } from './control-scene.ts';

let scene: ControlScene;
beforeEach(async () => {
  scene = await ControlScene.create();
});
afterEach(async () => {
  await scene[Symbol.asyncDispose]();
});

const MARK = "INSERT INTO holdfast.schedule_mark VALUES ('nightly', 5)";
const MARKS = 'SELECT handled FROM holdfast.schedule_mark';

describe('the state', () => {
  test('is there again after a stop, and its server is gone meanwhile', async () => {
    await using state = await scene.open();
    await state.database.execute(MARK);
    await state[Symbol.asyncDispose]();
    expect(await scene.serverPid()).toBeUndefined();
    await using again = await scene.open();
    expect(await again.database.query(MARKS)).toEqual([{ handled: 5 }]);
  });

  test('forces what it commits to the disk, and answers nobody on the network', async () => {
    await using state = await scene.open();
    const settings = await state.database.query<{ name: string; setting: string }>(
      `SELECT name, setting FROM pg_settings
       WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'listen_addresses', 'data_checksums')
       ORDER BY name`,
    );
    expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
      data_checksums: 'on',
      fsync: 'on',
      full_page_writes: 'on',
      listen_addresses: '',
      synchronous_commit: 'on',
    });
  });

  test('shows its password to nobody: not in a file that others read, nor to those who list processes', async () => {
    await using state = await scene.open();
    const file = path.join(scene.directory, 'database.password');
    const password = await readFile(file, 'utf8');
    expect(password).toHaveLength(43);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(path.join(scene.directory, 'database'))).mode & 0o777).toBe(0o700);
    expect(processTexts().some((text) => text.includes(password))).toBe(false);
    const log = await readFile(path.join(scene.directory, 'database/server.log'), 'utf8');
    expect(log).not.toContain(password);
    expect(await readFile(path.join(scene.dataDirectory, 'postgresql.conf'), 'utf8')).not.toContain(password);
    expect(await state.database.query(MARKS)).toEqual([]);
  });

  test.runIf(process.getuid?.() === 0)(
    'never runs as root, and needs a directory that its user can enter',
    async () => {
      await using _state = await scene.open();
      const pid = await scene.serverPid();
      expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^Uid:\t[1-9]\d*\t[1-9]\d*/m);
      expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^Groups:\t?\s*$/m);
      const closed = path.join(scene.directory, 'closed');
      await mkdir(closed, { mode: 0o700 });
      const options = { clock: systemClock, signal: new AbortController().signal };
      await expect(openState({ directory: path.join(closed, 'state'), ...options })).rejects.toMatchObject({
        code: 'state.unsupported',
        hint: expect.stringContaining('/var/lib/holdfast'),
      });
    },
  );

  test.runIf(process.getuid?.() === 0)('works for an ordinary user, too', async () => {
    await chown(scene.directory, 65_534, 65_534);
    const log = path.join(scene.directory, 'log');
    const plane = new PlaneProcess(scene, log, { uid: 65_534 });
    expect(await plane.said('ready')).toBe(true);
    expect((await stat(path.join(scene.directory, 'database.password'))).uid).toBe(65_534);
    await plane.stop();
    expect(await scene.serverPid()).toBeUndefined();
  });
});

describe('a server that is there already', () => {
  test('is adopted after its control plane was killed', async () => {
    const plane = new PlaneProcess(scene, path.join(scene.directory, 'log'));
    await plane.said('ready');
    const before = await scene.serverPid();
    await plane.kill();
    await using state = await scene.open();
    await state.database.execute(MARK);
    expect(await scene.serverPid()).toBe(before);
    await state[Symbol.asyncDispose]();
    expect(await scene.serverPid()).toBeUndefined();
  });

  test('is shared by two control planes, and the last one to leave stops it', async () => {
    const [first, second] = await Promise.all([scene.open(), scene.open()]);
    await first.database.execute(MARK);
    await first[Symbol.asyncDispose]();
    expect(await second.database.query(MARKS)).toEqual([{ handled: 5 }]);
    await second[Symbol.asyncDispose]();
    expect(await scene.serverPid()).toBeUndefined();
  });

  test('is not taken for ours by its number alone', async () => {
    const state = await scene.open();
    await state[Symbol.asyncDispose]();
    const somebody = spawn('sleep', ['60']);
    try {
      const lines = [
        somebody.pid,
        scene.dataDirectory,
        1,
        5432,
        path.dirname(scene.dataDirectory),
        '',
        '',
        'ready',
      ];
      await writeFile(path.join(scene.dataDirectory, 'postmaster.pid'), `${lines.join('\n')}\n`);
      if (process.getuid?.() === 0)
        await chown(path.join(scene.dataDirectory, 'postmaster.pid'), 65_534, 65_534);
      await using again = await scene.open();
      expect(await again.database.query(MARKS)).toEqual([]);
      expect(somebody.exitCode).toBeNull();
    } finally {
      somebody.kill('SIGKILL');
    }
  });

  test('is started again when it was killed, for whoever asks next', async () => {
    await using state = await scene.open();
    await using other = await scene.open();
    await state.database.execute(MARK);
    const { promise: woken, resolve } = Promise.withResolvers<void>();
    using _listening = await other.listen('holdfast_test', resolve);
    await scene.killServer();
    const asked = await Promise.allSettled([1, 2, 3].map(() => state.database.query(MARKS)));
    // One may have been on its way; whoever asks after that is answered.
    expect(
      asked.every(({ status }) => status === 'fulfilled') || (await state.database.query(MARKS)),
    ).toBeTruthy();
    expect(await other.database.query(MARKS)).toEqual([{ handled: 5 }]);
    await state.database.execute('NOTIFY holdfast_test');
    await woken;
  });
});

describe('leadership', () => {
  test("is one control plane's, and goes to another when that one leaves", async () => {
    await using first = await scene.open();
    await using second = await scene.open();
    const leading = await first.lead();
    expect(leading).toBeDefined();
    expect(await second.lead()).toBeUndefined();
    await leading?.[Symbol.asyncDispose]();
    expect(await second.lead()).toBeDefined();
  });

  test('ends when the database is lost: somebody else may have it by then', async () => {
    await using state = await scene.open();
    const leading = await state.lead();
    const { promise: lost, resolve } = Promise.withResolvers<void>();
    leading?.signal.addEventListener('abort', () => resolve());
    await scene.killServer();
    await lost;
    expect(leading?.signal.aborted).toBe(true);
  });
});

describe('what cannot be opened is refused with a reason', () => {
  test('data of another major version of PostgreSQL', async () => {
    const state = await scene.open();
    await state[Symbol.asyncDispose]();
    await writeFile(path.join(scene.dataDirectory, 'PG_VERSION'), '17\n');
    await expect(scene.open()).rejects.toMatchObject({
      code: 'state.version',
      hint: expect.stringContaining('catalog rebuild'),
    });
  });

  test('damaged data', async () => {
    const state = await scene.open();
    await state[Symbol.asyncDispose]();
    await truncate(path.join(scene.dataDirectory, 'global/pg_control'), 100);
    await expect(scene.open()).rejects.toMatchObject({
      code: 'state.damaged',
      hint: expect.stringContaining('catalog rebuild'),
    });
  });

  test('a state whose password is gone', async () => {
    const state = await scene.open();
    await state[Symbol.asyncDispose]();
    await rm(path.join(scene.directory, 'database.password'));
    await expect(scene.open()).rejects.toMatchObject({ code: 'state.denied' });
    // Nobody would ever stop it.
    expect(await scene.serverPid()).toBeUndefined();
  });

  test('tables of a newer Holdfast, or of another one', async () => {
    await using state = await scene.open();
    const { database } = state;
    await expect(migrate(database, [])).rejects.toMatchObject({ code: 'state.version' });
    await expect(migrate(database, [{ number: 1, sql: 'SELECT 1' }])).rejects.toMatchObject({
      code: 'state.version',
    });
  });
});

test('tables are brought up to date once, however many begin at the same time', async () => {
  const states = await Promise.all([scene.open(), scene.open(), scene.open()]);
  const [state] = states;
  const steps = await state?.database.query('SELECT number FROM holdfast.migration ORDER BY number');
  expect(steps).toEqual([{ number: 1 }, { number: 2 }, { number: 3 }]);
  await Promise.all(states.map((each) => each[Symbol.asyncDispose]()));
});

test('DATABASE_URL names a server of somebody else, which is neither started nor stopped', async () => {
  await using server = await startPostgres({ major: 16 });
  await using state = await openState({
    directory: scene.directory,
    databaseUrl: server.url,
    clock: systemClock,
    signal: new AbortController().signal,
  });
  await state.database.execute(MARK);
  await state[Symbol.asyncDispose]();
  expect(await server.query(MARKS)).toEqual([{ handled: '5' }]);
  expect(readdirSync(scene.directory)).toEqual([]);
});

/** Command lines and environments of all processes that we may look at. */
function processTexts(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => ['cmdline', 'environ'].map((file) => readOr(`/proc/${pid}/${file}`)));
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
