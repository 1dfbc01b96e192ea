import type { Advice, Check } from '../../../doctor/check.ts';
import { identifier, literal } from '../connection/replication-session.ts';
import { configurationGrants } from './configuration.ts';
import { has, type ServerHealth, sql } from './health-facts.ts';
import { parseBytes } from './server-facts.ts';

/** What goes wrong later, or makes a restore poorer than it could be. */
export const upkeepChecks: readonly Check<ServerHealth>[] = [
  {
    healthy: 'the role may hold the connections that it needs',
    known: ({ mayReplicate }) => mayReplicate !== undefined,
    examine: ({ connectionLimit, role }) =>
      connectionLimit === undefined || connectionLimit >= CONNECTIONS
        ? undefined
        : {
            severity: 'error',
            code: 'postgres.connection-limit',
            subject: role,
            message: `the role ${role} may hold ${connectionLimit} connections: a base backup and the journal need ${CONNECTIONS}`,
            ...sql(`ALTER ROLE ${identifier(role)} CONNECTION LIMIT -1;`),
          },
  },
  {
    healthy: 'the password of the role does not run out soon',
    known: ({ mayReplicate }) => mayReplicate !== undefined,
    examine: ({ passwordUntil, examinedAt = 0, role }) => {
      if (passwordUntil === undefined || passwordUntil - examinedAt > SOON) return undefined;
      return {
        severity: 'warning',
        code: 'postgres.password-ends',
        subject: role,
        message: `the password of ${role} counts until ${new Date(passwordUntil).toISOString()}: backups end with it`,
        ...sql(`ALTER ROLE ${identifier(role)} VALID UNTIL 'infinity';`),
        hint: 'Or give it a new password with a date of its own.',
      };
    },
  },
  {
    healthy: 'no slot keeps WAL that nobody fetches',
    known: ({ idleSlots }) => idleSlots !== undefined,
    examine: idleSlotAdvice,
  },
  {
    healthy: 'the configuration can be saved with each base',
    known: ({ configuration }) => configuration !== undefined,
    examine: configurationAdvice,
  },
  {
    healthy: 'the clocks agree',
    known: ({ clockAhead }) => clockAhead !== undefined,
    examine: ({ clockAhead = 0, server }) =>
      Math.abs(clockAhead) < MOST_SKEW
        ? undefined
        : {
            severity: 'warning',
            code: 'postgres.clock',
            subject: server,
            message: `the clock of the server is ${secondsText(Math.abs(clockAhead))} ${clockAhead > 0 ? 'ahead of' : 'behind'} this machine’s`,
            fix: ['timedatectl set-ntp true'],
            fixIn: 'a shell, on the machine whose clock is wrong',
            hint: 'A restore to a time goes by the clock of the server.',
          },
  },
  {
    healthy: 'the standby replays what it receives',
    known: ({ standby }) => standby !== undefined,
    examine: ({ standby }) =>
      standby?.replayPaused !== true
        ? undefined
        : {
            severity: 'warning',
            code: 'postgres.replay-paused',
            subject: 'pg_is_wal_replay_paused()',
            message: 'replay is paused on this standby: its bases are as old as that',
            ...sql('SELECT pg_wal_replay_resume();'),
          },
  },
  {
    healthy: 'long questions are not cancelled on the standby',
    known: (health) => health.standby !== undefined && has('hot_standby_feedback')(health),
    examine: ({ settings }) =>
      settings['hot_standby_feedback'] === 'on'
        ? undefined
        : {
            severity: 'note',
            code: 'postgres.standby-feedback',
            subject: 'hot_standby_feedback',
            message:
              'counting rows as evidence may be cancelled on this standby; bases and the journal are not',
            ...sql('ALTER SYSTEM SET hot_standby_feedback = on;', 'SELECT pg_reload_conf();'),
            hint: 'The primary then keeps rows a little longer.',
          },
  },
  {
    healthy: 'the spool of the journal has room',
    known: ({ spool }) => spool !== undefined,
    examine: spoolAdvice,
  },
];

function idleSlotAdvice({ idleSlots = [] }: ServerHealth): Advice | undefined {
  const [first] = idleSlots;
  if (first === undefined) return undefined;
  const kept = idleSlots.map(({ name, bytes }) => `${name} (${Math.ceil(bytes / MIB)} MiB)`).join(', ');
  return {
    severity: 'warning',
    code: 'postgres.idle-slots',
    subject: first.name,
    message: `WAL is kept on the disk of the server for whoever does not fetch it: ${kept}`,
    ...sql(...idleSlots.map(({ name }) => `SELECT pg_drop_replication_slot(${literal(name)});`)),
    hint: 'Drop only what nobody comes back for. A journal of ours goes on where it was: holdfast postgres journal.',
  };
}

function configurationAdvice({ configuration, connectedFrom, role }: ServerHealth): Advice | undefined {
  if (configuration === undefined) return undefined;
  const { located, unreadable } = configuration;
  if (located && unreadable.length === 0) return undefined;
  const database = connectedFrom?.database ?? role;
  return {
    severity: 'note',
    code: 'postgres.configuration',
    subject: unreadable[0] ?? 'config_file',
    message: located
      ? `configuration files outside of the data directory are in no base: ${unreadable.join(', ')}`
      : `whether configuration files lie outside of the data directory cannot be seen by ${role}; if so they are in no base`,
    fix: configurationGrants(role),
    fixIn: `psql ${database}, as an administrator`,
    hint: 'The role may then read any file that the server may, which as a receiver of backups it nearly does already.',
  };
}

function spoolAdvice({ spool, settings }: ServerHealth): Advice | undefined {
  if (spool === undefined) return undefined;
  const { directory, free } = spool;
  if (free === undefined) {
    return {
      severity: 'warning',
      code: 'postgres.spool',
      subject: directory,
      message: `${directory} cannot be written: the journal keeps there what it has acknowledged`,
      hint: 'Choose another with --spool, or give it to the user that the journal runs as.',
    };
  }
  const needed = SPOOL_SEGMENTS * parseBytes(settings['wal_segment_size'] ?? '16MB');
  if (free >= needed) return undefined;
  return {
    severity: 'warning',
    code: 'postgres.spool-space',
    subject: directory,
    message: `the spool has room for ${Math.floor(free / MIB)} MiB: what is not yet in the repository waits there`,
    hint: `It should have ${Math.ceil(needed / MIB)} MiB at least, more where the repository may be away for hours.`,
  };
}

function secondsText(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

const MIB = 2 ** 20;
/** A base backup with its question by SQL, and the journal. */
const CONNECTIONS = 3;
/** Milliseconds: two weeks. */
const SOON = 14 * 24 * 3_600_000;
/** Milliseconds: less is seen where a virtual machine was just resumed. */
const MOST_SKEW = 5000;
/** A gigabyte at the usual size, from which on the journal itself begins to warn. */
const SPOOL_SEGMENTS = 64;
