import { Failure } from '@holdfast/engine';
import { expect, test } from 'vitest';
import { diagnose } from '../../../doctor/check.ts';
import { postgresChecks } from './doctor.ts';
import type { ServerHealth } from './health-facts.ts';

const well: ServerHealth = {
  server: 'postgres://backup@db-1:5432/shop',
  role: 'backup',
  major: 18,
  mayReplicate: true,
  mayReadAll: true,
  settings: {
    wal_level: 'replica',
    max_wal_senders: '10',
    max_replication_slots: '10',
    max_slot_wal_keep_size: '64GB',
    data_checksums: 'on',
    summarize_wal: 'on',
    fsync: 'on',
    full_page_writes: 'on',
    hot_standby_feedback: 'on',
  },
  connectedFrom: { address: '10.0.0.9', encrypted: true, database: 'shop' },
  clockAhead: 12,
  examinedAt: Date.UTC(2026, 10, 21),
  standby: { replayPaused: false },
  idleSlots: [],
  configuration: { located: true, unreadable: [] },
  spool: { directory: '/srv/spool', free: 2 ** 40 },
};

const codes = (change: Partial<ServerHealth>) =>
  diagnose('s', postgresChecks, { ...well, ...change }).advice.map(({ code }) => code);
const withSetting = (name: string, value: string) => ({ settings: { ...well.settings, [name]: value } });

test('a server that has everything hears of nothing', () => {
  const { advice, healthy } = diagnose('s', postgresChecks, well);
  expect(advice).toEqual([]);
  expect(healthy).toHaveLength(postgresChecks.length);
});

test.each([
  [withSetting('wal_level', 'minimal'), 'postgres.wal-level'],
  [withSetting('max_wal_senders', '1'), 'postgres.senders'],
  [withSetting('max_replication_slots', '0'), 'postgres.slots'],
  [withSetting('max_slot_wal_keep_size', '-1'), 'postgres.slot-limit'],
  [withSetting('data_checksums', 'off'), 'postgres.checksums'],
  [withSetting('summarize_wal', 'off'), 'postgres.summarize-wal'],
  [withSetting('fsync', 'off'), 'postgres.durability'],
  [{ major: 11 }, 'postgres.version'],
  [{ mayReplicate: false }, 'postgres.role'],
  [{ mayReadAll: false }, 'postgres.evidence'],
  [{ major: 19 }, 'postgres.version-untried'],
  [{ connectionLimit: 1 }, 'postgres.connection-limit'],
  [{ passwordUntil: Date.UTC(2026, 10, 30) }, 'postgres.password-ends'],
  [{ idleSlots: [{ name: 'old', bytes: 5 }] }, 'postgres.idle-slots'],
  [{ configuration: { located: true, unreadable: ['/etc/pg_hba.conf'] } }, 'postgres.configuration'],
  [{ configuration: { located: false, unreadable: [] } }, 'postgres.configuration'],
  [{ clockAhead: -60_000 }, 'postgres.clock'],
  [{ standby: { replayPaused: true } }, 'postgres.replay-paused'],
  [withSetting('hot_standby_feedback', 'off'), 'postgres.standby-feedback'],
  [{ spool: { directory: '/srv/spool' } }, 'postgres.spool'],
  [{ spool: { directory: '/srv/spool', free: 1000 } }, 'postgres.spool-space'],
])('%j leads to %s', (change, code) => {
  expect(codes(change)).toEqual([code]);
});

const noEntry = new Failure('source.auth', 'no pg_hba.conf entry', {
  cause: { severity: 'FATAL', code: '28000', message: 'no pg_hba.conf entry' },
});

test('a refused login leads to the line that pg_hba.conf lacks, and a missing attribute is said once', () => {
  const lines = (connectedFrom?: ServerHealth['connectedFrom']) => {
    const health = { ...well, replicationRefused: noEntry };
    delete (health as { connectedFrom?: unknown }).connectedFrom;
    return diagnose('s', postgresChecks, {
      ...health,
      ...(connectedFrom === undefined ? {} : { connectedFrom }),
    }).advice[0]?.fix;
  };
  const database = 'shop';
  expect(lines()).toEqual(['hostssl  replication  backup  <address of this machine>/32  scram-sha-256']);
  expect(lines({ address: '10.0.0.9', encrypted: false, database })).toEqual([
    'host  replication  backup  10.0.0.9/32  scram-sha-256',
  ]);
  expect(lines({ address: 'fd00::9', encrypted: true, database })).toEqual([
    'hostssl  replication  backup  fd00::9/128  scram-sha-256',
  ]);
  expect(lines({ encrypted: false, database })).toEqual(['local  replication  backup  scram-sha-256']);
  expect(codes({ replicationRefused: noEntry, mayReplicate: false })).toEqual(['postgres.role']);
});

test('a wrong password is no reason to change pg_hba.conf', () => {
  const replicationRefused = new Failure('source.auth', 'password authentication failed', {
    cause: { severity: 'FATAL', code: '28P01', message: 'password authentication failed' },
  });
  const { advice } = diagnose('s', postgresChecks, { ...well, replicationRefused });
  expect(advice).toMatchObject([{ code: 'postgres.replication-login' }]);
  expect(advice[0]?.fix).toBeUndefined();
});

test('summaries that cannot be asked for are of no use', () => {
  const sqlRefused = new Failure('source.auth', 'no pg_hba.conf entry');
  expect(codes({ sqlRefused })).toEqual(['postgres.summaries-login', 'postgres.evidence']);
  expect(codes({ sqlRefused, ...withSetting('summarize_wal', 'off') })).toEqual([
    'postgres.summarize-wal',
    'postgres.evidence',
  ]);
});

test('what is not known is neither praised nor complained of', () => {
  const { server, role } = well;
  const { healthy, advice } = diagnose('s', postgresChecks, {
    server,
    role,
    settings: {},
    sqlRefused: new Failure('source.auth', 'no'),
  });
  expect(advice.map(({ code }) => code)).toEqual(['postgres.evidence']);
  expect(healthy).toEqual(['replication connections are accepted']);
});

test('names of roles are quoted in what is to be pasted', () => {
  const { advice } = diagnose('s', postgresChecks, { ...well, role: 'a"b', mayReplicate: false });
  expect(advice[0]?.fix).toEqual(['ALTER ROLE "a""b" REPLICATION;']);
});
