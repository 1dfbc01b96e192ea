import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { type Advice, diagnose } from '../../app/src/doctor/check.ts';
import { parseServerUrl, serverAddress } from '../../app/src/sources/postgres/connection/server-address.ts';
import { postgresChecks } from '../../app/src/sources/postgres/server/doctor.ts';
import { examineServer } from '../../app/src/sources/postgres/server/server-health.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { type Major, type RunningPostgres, startPostgres } from '../servers/postgres.ts';
import { JournalScene, standbyOf } from './journal-scene.ts';

const holdfast = fileURLToPath(new URL('../../holdfast', import.meta.url));
const execute = promisify(execFile);

async function examined(url: string, clock = systemClock): Promise<readonly Advice[]> {
  const health = await examineServer(serverAddress(parseServerUrl(url)), AbortSignal.timeout(30_000), clock);
  return diagnose(health.server, postgresChecks, health).advice;
}

/** Does what a person would who pastes everything where it belongs, then restarts the server. */
async function followed(advice: readonly Advice[], server: RunningPostgres): Promise<void> {
  for (const { code, fix = [], fixIn } of advice) {
    if (fixIn?.startsWith('psql')) {
      for (const sql of fix) await server.query(sql);
    } else if (fixIn?.startsWith('pg_hba.conf')) {
      const file = path.join(server.configurationDirectory, 'pg_hba.conf');
      await writeFile(file, `${fix.join('\n')}\n${await readFile(file, 'utf8')}`);
    } else {
      throw new Error(`${code} has nothing to paste`);
    }
  }
  await server.stop();
  await server.start();
}

const codesOf = (advice: readonly Advice[]) => advice.map(({ code }) => code);

test.each<[Major, string[]]>([
  [14, []],
  [18, ['postgres.summarize-wal']],
])('all that the doctor tells a server of PostgreSQL %i to paste mends it', async (major, more) => {
  await using server = await startPostgres({
    major,
    settings: {
      wal_level: 'minimal',
      max_wal_senders: '0',
      max_replication_slots: '1',
      full_page_writes: 'off',
      fsync: 'off',
    },
    hostBasedAuthentication: ['host replication backup all reject'],
  });
  await server.query("CREATE ROLE backup LOGIN PASSWORD 'known' CONNECTION LIMIT 2 VALID UNTIL 'tomorrow'");
  const url = server.url.replace('postgres@', 'backup:known@');

  const first = await examined(url);
  expect(codesOf(first).sort()).toEqual(
    [
      'postgres.configuration',
      'postgres.connection-limit',
      'postgres.durability',
      'postgres.evidence',
      'postgres.password-ends',
      'postgres.role',
      'postgres.senders',
      'postgres.slot-limit',
      'postgres.slots',
      'postgres.wal-level',
      ...more,
    ].sort(),
  );
  await followed(first, server);
  // Only now is it the line of pg_hba.conf that is in the way.
  const second = await examined(url);
  expect(codesOf(second)).toEqual(['postgres.replication-login']);
  await followed(second, server);
  await server.query("SELECT pg_create_physical_replication_slot('forgotten', true)");
  const third = await examined(url);
  expect(codesOf(third)).toEqual(['postgres.idle-slots']);
  expect(third[0]?.message).toMatch(/forgotten \(\d+ MiB\)/);
  await followed(third, server);
  expect(await examined(url)).toEqual([]);
});

test('whoever may replicate but not log in is told the line that lets rows be counted', async () => {
  await using server = await startPostgres({
    major: 18,
    settings: { max_slot_wal_keep_size: '1GB', summarize_wal: 'on', fsync: 'on' },
    hostBasedAuthentication: ['host replication backup all trust', 'host all backup all reject'],
  });
  await server.query("CREATE ROLE backup LOGIN REPLICATION PASSWORD 'known'");
  const url = server.url.replace('postgres@', 'backup:known@');
  const [advice, ...others] = await examined(url);
  expect(others).toEqual([]);
  expect(advice?.code).toBe('postgres.evidence');
  const line = advice?.fix?.[0]?.replace('<address of this machine>', '127.0.0.1').replace('hostssl', 'host');
  await followed([{ ...(advice as Advice), fix: [line ?? ''] }], server);
  const next = await examined(url);
  expect(codesOf(next)).toEqual(['postgres.evidence', 'postgres.configuration']);
  await followed(next, server);
  expect(await examined(url)).toEqual([]);
});

test('a standby is looked at as one, and mended as one', async () => {
  const settings = { max_slot_wal_keep_size: '1GB', fsync: 'on' };
  await using primary = await startPostgres({ major: 16, settings });
  await using copies = new JournalScene();
  await primary.stop();
  await using standby = await standbyOf(primary, copies.coldCopy(primary), 16);
  await primary.start();
  await standby.query('SELECT pg_wal_replay_pause()');
  const advice = await examined(standby.url);
  expect(codesOf(advice)).toEqual(['postgres.replay-paused', 'postgres.standby-feedback']);
  await followed(advice, standby);
  expect(await examined(standby.url)).toEqual([]);
});

test('clocks that disagree are noticed, in either direction', async () => {
  await using server = await startPostgres({
    major: 16,
    settings: { max_slot_wal_keep_size: '1GB', fsync: 'on' },
  });
  const clock = (ahead: number) => ({ ...systemClock, now: () => systemClock.now() + ahead });
  const [behind] = await examined(server.url, clock(60_000));
  expect(behind?.message).toMatch(/the clock of the server is (59|60)\.\d s behind/);
  const [ahead] = await examined(server.url, clock(-60_000));
  expect(ahead?.message).toMatch(/(59|60)\.\d s ahead of/);
  expect(await examined(server.url)).toEqual([]);
});

test('the command line says it for people and for programs, and its exit code tells what keeps backups away', async () => {
  await using server = await startPostgres({
    major: 16,
    settings: { max_slot_wal_keep_size: '1GB', fsync: 'on' },
  });
  await server.query('CREATE ROLE backup LOGIN');
  const run = async (...words: string[]) => {
    const url = server.url.replace('postgres@', 'backup@');
    return await execute(holdfast, ['doctor', 'postgres', '--url', url, '--spool', tmpdir(), ...words]).then(
      ({ stdout }) => ({ code: 0, stdout }),
      (error: { code: number; stdout: string }) => error,
    );
  };
  const people = await run();
  expect(people.code).toBe(14);
  expect(people.stdout).toContain('✔ WAL is written for backups\n');
  expect(people.stdout).toContain('✔ the spool of the journal has room\n');
  expect(people.stdout).toContain(
    '✖ the role backup does not have the attribute REPLICATION\n  in psql, as an administrator:\n      ALTER ROLE "backup" REPLICATION;\n',
  );
  const programs = await run('--json');
  expect(programs.code).toBe(14);
  const records = programs.stdout
    .split('\n')
    .filter((line) => line.startsWith('{"type":"finding"'))
    .map((line) => JSON.parse(line) as { code: string; fix?: string[] });
  expect(records.find(({ code }) => code === 'postgres.role')?.fix).toEqual([
    'ALTER ROLE "backup" REPLICATION;',
  ]);
  await server.query('ALTER ROLE "backup" REPLICATION');
  // What is only a note or a warning keeps nothing away.
  expect(await run()).toMatchObject({ code: 0 });
});
