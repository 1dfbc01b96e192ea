import type { Id } from '@holdfast/engine';
import { describe, expect, test } from 'vitest';
import { allCommands } from '../../../testing/all-commands.ts';
import { recordedContext } from '../../../testing/context.ts';
import { runProgram } from '../../program.ts';
import type { PostgresRestorePlan, PostgresRestoreRequest, PostgresRestoreSummary } from './restore.ts';

const SNAPSHOT = 'aba46379'.padEnd(64, '0') as Id;
const PLAN: PostgresRestorePlan = {
  target: '/srv/pg',
  asked: '2026-11-21T10:44:07Z',
  to: '2026-11-21T10:44:07Z',
  inclusive: true,
  action: 'promote',
  start: true,
  systemId: '7710642092124986670',
  server: 'postgres://backup@db-1:5432/postgres',
  serverVersion: '16.14',
  timeline: 2,
  base: {
    snapshot: SNAPSHOT,
    endedAt: '2026-11-21T10:00:04Z',
    endLsn: '0/20',
    bytes: 43.8e6,
  },
  wal: { segments: 7, slices: 2, bytes: 117e6, directory: '/srv/pg.wal' },
  after: { bytes: 1.2e6, until: { lsn: '0/3036000', time: '2026-11-21T10:52:00Z' } },
  expectedMilliseconds: 2600,
  tablespaces: [],
  existing: 'new',
  deletions: [],
  notes: [],
  token: 'abcdef012345',
};
const SUMMARY: PostgresRestoreSummary = {
  target: '/srv/pg',
  serverVersion: '16.14',
  tablespaces: [],
  bytesWritten: 160.8e6,
  entriesDeleted: 0,
  took: { wal: 400, base: 300, recovery: 600 },
  milliseconds: 1300,
  recovered: { state: 'promoted', lsn: '0/300E620', lastCommit: '2026-11-21T10:44:06.998Z' },
  next: ['pg_ctl -D /srv/pg start   (PostgreSQL 16)'],
};
const OVER: PostgresRestorePlan = {
  ...PLAN,
  existing: 'cluster',
  deletions: ['/srv/pg/pg_wal/1', '/srv/pg/x/'],
};
const ACCESS = { HOLDFAST_REPOSITORY: '/repository', HOLDFAST_PASSWORD: 'secret' };

async function run(line: string, plan = PLAN) {
  const context = recordedContext({ environment: ACCESS });
  let request: PostgresRestoreRequest | undefined;
  let executed = 0;
  const registrations = allCommands({
    planPostgresRestore: async (_access, given) => {
      request = given;
      return {
        plan,
        execute: async () => {
          executed += 1;
          return SUMMARY;
        },
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
  });
  const code = await runProgram(['postgres', 'restore', ...line.split(' ')], context, {
    version: '0',
    registrations,
  });
  return { code, request, executed, ...context.written };
}

describe('holdfast postgres restore', () => {
  test('says what it is going to do, does it, and says where the server came to', async () => {
    const done = await run('--target /srv/pg --to 2026-11-21T10:44:07Z --start');
    expect([done.code, done.executed]).toEqual([0, 1]);
    expect(done.request).toMatchObject({ to: '2026-11-21T10:44:07Z', action: 'promote', start: true });
    expect(done.stdout).toMatch(/base aba46379 .* \+ 117 MB of WAL \(7 segments from 2 slices\)/);
    expect(done.stdout).toMatch(/lost +what came after: 1\.2 MB of WAL/);
    expect(done.stdout).toMatch(/WAL 0\.4 s · base 0\.3 s · recovery 0\.6 s/);
    expect(done.stdout).toMatch(/recovered up to 0\/300E620 and was promoted/);
  });

  test('prints the plan alone in a dry run, and as a line of its own for programs', async () => {
    const dry = await run('--target /srv/pg --dry-run');
    expect([dry.code, dry.executed]).toEqual([0, 0]);
    expect(dry.stdout).not.toContain('Restored');
    const lines = (await run('--target /srv/pg --json')).stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).type)).toEqual(['plan', 'summary']);
  });

  test('writes over a data directory only with the token of exactly that plan', async () => {
    const asked = await run('--target /srv/pg --delta', OVER);
    expect([asked.code, asked.executed]).toEqual([2, 0]);
    expect(asked.stdout).toMatch(/WRITTEN OVER[\s\S]*Deletes 2 entries/);
    expect(asked.stderr).toContain('--consent abcdef012345');
    expect((await run('--target /srv/pg --delta --consent 000000000000', OVER)).executed).toBe(0);
    expect((await run('--target /srv/pg --delta --consent abcdef012345', OVER)).executed).toBe(1);
  });

  test.each([
    ['--target /srv/pg --action pause', /needs a moment to pause at/],
    ['--target /srv/pg --consent abcdef012345', /agree to what --delta would write/],
    ['--target /srv/pg --timeline first', /--timeline/],
  ])('refuses "%s"', async (line, message) => {
    const { code, request, stderr } = await run(line);
    expect([code, request]).toEqual([2, undefined]);
    expect(stderr).toMatch(message);
  });
});
