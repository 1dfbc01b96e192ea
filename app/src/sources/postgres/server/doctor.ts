import type { Advice, Check } from '../../../doctor/check.ts';
import { identifier } from '../connection/replication-session.ts';
import { sqlStateOf } from '../connection/server-error.ts';
import { admission, has, type ServerHealth, sql } from './health-facts.ts';
import { upkeepChecks } from './upkeep-checks.ts';

/** Settings that the checks below look at. */
export const EXAMINED_SETTINGS = [
  'server_version_num',
  'wal_level',
  'max_wal_senders',
  'max_replication_slots',
  'max_slot_wal_keep_size',
  'data_checksums',
  'full_page_writes',
  'fsync',
  'hot_standby_feedback',
  'wal_segment_size',
];

const OLDEST = 12;
const NEWEST = 18;

/** The most important first: what keeps a backup from being taken at all. */
export const postgresChecks: readonly Check<ServerHealth>[] = [
  {
    healthy: 'the server is of a version that can be backed up',
    known: ({ major }) => major !== undefined,
    examine: ({ major, server }) =>
      major === undefined || major >= OLDEST
        ? undefined
        : {
            severity: 'error',
            code: 'postgres.version',
            subject: server,
            message: `PostgreSQL ${major} is too old for base backups with Holdfast`,
            hint: 'Save a dump instead: pg_dump … | holdfast files backup --stdin.',
          },
  },
  {
    healthy: 'the server is of a version that this was tried with',
    known: ({ major }) => major !== undefined && major >= OLDEST,
    examine: ({ major = NEWEST, server }) =>
      major <= NEWEST
        ? undefined
        : {
            severity: 'warning',
            code: 'postgres.version-untried',
            subject: server,
            message: `PostgreSQL ${major} is newer than any that this Holdfast was tried with (${NEWEST})`,
            hint: 'Restore a base before you rely on it, and look for a newer Holdfast.',
          },
  },
  {
    healthy: 'WAL is written for backups',
    known: has('wal_level'),
    examine: ({ settings }) =>
      settings['wal_level'] !== 'minimal'
        ? undefined
        : {
            severity: 'error',
            code: 'postgres.wal-level',
            subject: 'wal_level',
            message: 'wal_level is minimal: neither a base backup nor a journal can be taken',
            ...sql("ALTER SYSTEM SET wal_level = 'replica';"),
            hint: 'Restart the server afterwards.',
          },
  },
  {
    healthy: 'the role may take backups',
    known: ({ mayReplicate }) => mayReplicate !== undefined,
    examine: ({ mayReplicate, role }) =>
      mayReplicate !== false
        ? undefined
        : {
            severity: 'error',
            code: 'postgres.role',
            subject: role,
            message: `the role ${role} does not have the attribute REPLICATION`,
            ...sql(`ALTER ROLE ${identifier(role)} REPLICATION;`),
            hint: 'It needs no more than that for base backups and the journal.',
          },
  },
  {
    healthy: 'replication connections are accepted',
    // What a missing attribute leads to is said once.
    known: ({ mayReplicate }) => mayReplicate !== false,
    examine: replicationAdvice,
  },
  {
    healthy: 'there are connections for backups',
    known: has('max_wal_senders'),
    examine: ({ settings }) =>
      enough(settings['max_wal_senders'], SENDERS)
        ? undefined
        : {
            severity: 'error',
            code: 'postgres.senders',
            subject: 'max_wal_senders',
            message: `max_wal_senders is ${settings['max_wal_senders']}: a base backup and the journal need one each`,
            ...sql('ALTER SYSTEM SET max_wal_senders = 10;'),
            hint: 'Restart the server afterwards. An unused one costs nothing.',
          },
  },
  {
    healthy: 'there are slots for backups',
    known: has('max_replication_slots'),
    examine: ({ settings }) =>
      enough(settings['max_replication_slots'], 2)
        ? undefined
        : {
            severity: 'error',
            code: 'postgres.slots',
            subject: 'max_replication_slots',
            message: `max_replication_slots is ${settings['max_replication_slots']}: a slot keeps the WAL that is still needed`,
            ...sql('ALTER SYSTEM SET max_replication_slots = 10;'),
            hint: 'Restart the server afterwards.',
          },
  },
  {
    healthy: 'a receiver that stays away cannot fill the disk of the server',
    known: has('max_slot_wal_keep_size'),
    examine: ({ settings }) =>
      settings['max_slot_wal_keep_size'] !== '-1'
        ? undefined
        : {
            severity: 'warning',
            code: 'postgres.slot-limit',
            subject: 'max_slot_wal_keep_size',
            message: 'there is no limit to the WAL that is kept for a receiver that stays away',
            ...sql("ALTER SYSTEM SET max_slot_wal_keep_size = '64GB';", 'SELECT pg_reload_conf();'),
            hint: 'Choose what the disk can spare: beyond it the journal has a gap, and a new base is taken.',
          },
  },
  {
    healthy: 'incremental base backups are possible',
    known: has('summarize_wal'),
    examine: ({ settings, sqlRefused, role }) => {
      if (settings['summarize_wal'] === 'off') {
        return {
          severity: 'note',
          code: 'postgres.summarize-wal',
          subject: 'summarize_wal',
          message: 'summarize_wal is off: every base backup reads and sends the whole database',
          ...sql('ALTER SYSTEM SET summarize_wal = on;', 'SELECT pg_reload_conf();'),
          hint: 'The first base after it may still be a full one; those that follow send what has changed.',
        };
      }
      if (sqlRefused === undefined) return undefined;
      return {
        severity: 'note',
        code: 'postgres.summaries-login',
        subject: role,
        message:
          'WAL is summarized, but the summaries cannot be asked for by SQL: every base backup sends everything',
        hint: `It needs to log in to some database, no more: ${sqlRefused.message}.`,
      };
    },
  },
  {
    healthy: 'pages have checksums',
    known: has('data_checksums'),
    examine: ({ settings }) =>
      settings['data_checksums'] !== 'off'
        ? undefined
        : {
            severity: 'warning',
            code: 'postgres.checksums',
            subject: 'data_checksums',
            message: 'pages have no checksums: damage on the disk of the server is not noticed',
            fix: ['pg_checksums --enable -D <data directory>'],
            fixIn: 'a shell, while the server is stopped',
          },
  },
  {
    healthy: 'commits and pages survive a power cut',
    known: has('fsync'),
    examine: ({ settings }) => {
      const off = ['fsync', 'full_page_writes'].filter((name) => settings[name] === 'off');
      if (off.length === 0) return undefined;
      return {
        severity: 'warning',
        code: 'postgres.durability',
        subject: off.join(', '),
        message: `${off.join(' and ')} off: after a power cut the database itself may be damaged, and so its copies`,
        ...sql(...off.map((name) => `ALTER SYSTEM SET ${name} = on;`), 'SELECT pg_reload_conf();'),
      };
    },
  },
  {
    healthy: 'rows can be counted as evidence',
    examine: evidenceAdvice,
  },
  ...upkeepChecks,
];

function evidenceAdvice(health: ServerHealth): Advice | undefined {
  const { mayReadAll, sqlRefused, role, major = NEWEST } = health;
  if (mayReadAll !== false && sqlRefused === undefined) return undefined;
  const found = {
    severity: 'note',
    code: 'postgres.evidence',
    subject: role,
    message: 'rows cannot be counted: backups work, but what they hold is not compared with the original',
  } as const;
  if (sqlRefused !== undefined) {
    const fix = sqlStateOf(sqlRefused) === NO_ADMISSION ? admissionFix(health, 'all') : {};
    return { ...found, ...fix, hint: `It cannot log in for SQL: ${sqlRefused.message}.` };
  }
  if (major < PREDEFINED_READER) {
    return { ...found, hint: 'Grant it SELECT on the tables that are to be counted.' };
  }
  return { ...found, ...sql(`GRANT pg_read_all_data TO ${identifier(role)};`) };
}

function replicationAdvice(health: ServerHealth): Advice | undefined {
  const { replicationRefused, mayReplicate, server, settings } = health;
  // What a missing attribute leads to is said once.
  if (replicationRefused === undefined || mayReplicate === false) return undefined;
  const { message, hint } = replicationRefused;
  const found = {
    severity: 'error',
    code: 'postgres.replication-login',
    subject: server,
    message,
    ...(hint === undefined ? {} : { hint }),
  } as const;
  switch (sqlStateOf(replicationRefused)) {
    case NO_ADMISSION:
      return { ...found, ...admissionFix(health, 'replication') };
    case ALL_IN_USE: {
      const senders = Number(settings['max_wal_senders']);
      // So few are complained of by themselves.
      if (!(senders >= SENDERS)) return found;
      return {
        ...found,
        ...sql(`ALTER SYSTEM SET max_wal_senders = ${senders + FURTHER_SENDERS};`),
        hint: 'Restart the server afterwards. Who uses them: SELECT * FROM pg_stat_replication;',
      };
    }
    default:
      return found;
  }
}

function admissionFix(health: ServerHealth, database: 'replication' | 'all'): Pick<Advice, 'fix' | 'fixIn'> {
  return {
    fix: [admission(health, database)],
    fixIn: 'pg_hba.conf, before the other lines; then SELECT pg_reload_conf();',
  };
}

function enough(setting: string | undefined, needed: number): boolean {
  return Number(setting) >= needed;
}

/** invalid_authorization_specification: no line of pg_hba.conf fits, or there is no such role. */
const NO_ADMISSION = '28000';
/** too_many_connections. */
const ALL_IN_USE = '53300';
/** The first version that has pg_read_all_data. */
const PREDEFINED_READER = 14;
const SENDERS = 3;
const FURTHER_SENDERS = 5;
