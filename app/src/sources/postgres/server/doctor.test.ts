import { Failure } from '@holdfast/engine';
import { expect, test } from 'vitest';
import { diagnose } from '../../../doctor/check.ts';
import { postgresChecks, type ServerHealth } from './doctor.ts';

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
  },
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
])('%j leads to %s', (change, code) => {
  expect(codes(change)).toEqual([code]);
});

test('a refused login leads to the line that pg_hba.conf lacks, and a missing attribute is said once', () => {
  const replicationRefused = new Failure('source.auth', 'no pg_hba.conf entry');
  const { advice } = diagnose('s', postgresChecks, { ...well, replicationRefused });
  expect(advice[0]?.fix?.[0]).toMatch(/^hostssl +replication +backup/);
  expect(codes({ replicationRefused, mayReplicate: false })).toEqual(['postgres.role']);
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
