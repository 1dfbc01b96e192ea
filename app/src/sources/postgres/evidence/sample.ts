import { type Clock, Failure, isFailure, type Random } from '@holdfast/engine';
import { ReplicationSession } from '../connection/replication-session.ts';
import { type ServerAddress, serverName } from '../connection/server-address.ts';
import { readFacts } from '../server/server-facts.ts';
import { formatLsn } from '../wal/lsn.ts';
import type { ContentView } from './content-view.ts';
import { DATABASE_FACTS, SESSION_SETTINGS } from './count-sql.ts';
import type { DatabaseEvidence, Evidence, SampledDatabase } from './evidence.ts';
import { viewByLog } from './log-view.ts';
import { viewBySlot } from './slot-view.ts';
import { markLog, SqlSession } from './sql-session.ts';
import { countTables } from './table-counts.ts';
import type { CountLimits } from './table-plan.ts';

export interface SampleOptions {
  readonly address: ServerAddress;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: CountLimits;
  /** All that allow connections when none is named. */
  readonly databases?: readonly string[];
  /** Further SQL aggregates by table, as `database.schema.table`. */
  readonly aggregates?: ReadonlyMap<string, readonly string[]>;
  /** Milliseconds to wait for transactions that run when a slot is made. */
  readonly slotPatience?: number;
  readonly signal: AbortSignal;
  /** Told before a table is counted. */
  readonly onTable?: (database: string, table: string) => void | Promise<void>;
}

/**
 * Learns what a running server holds, as of positions of its log that a copy can be brought to exactly. One position for
 * each database, since a snapshot cannot be carried from one to another. What cannot be learnt is in the result as unknown.
 *
 * On the server it leaves a record in the log and nothing else.
 */
export async function sampleServer(options: SampleOptions): Promise<Evidence> {
  const { address, clock, signal, limits } = options;
  const startedAt = new Date(clock.now()).toISOString();
  await using session = await ReplicationSession.open(address, { signal });
  const there = { ...address, hosts: [session.host] };
  const { systemId, timeline } = await session.identifySystem();
  const { major, settings } = await readFacts(session);
  const server = { address: there, major, logical: settings['wal_level'] === 'logical' };
  const { names, standby } = await readServer(there, options);
  const deadline = clock.now() + limits.totalTime;
  const databases: DatabaseEvidence[] = [];
  for (const name of names)
    databases.push(await sampleDatabase(name, { ...server, standby }, deadline, options));
  if (!standby) await markEnd(there, signal);
  return {
    version: 1,
    systemId,
    major,
    timeline,
    startedAt,
    endedAt: new Date(clock.now()).toISOString(),
    server: serverName(address, session.host),
    role: address.user,
    databases,
  };
}

interface SampledServer {
  readonly address: ServerAddress;
  readonly major: number;
  /** Whether its log is written for logical slots. */
  readonly logical: boolean;
  readonly standby: boolean;
}

async function readServer(address: ServerAddress, { databases, signal }: SampleOptions) {
  await using sql = await SqlSession.open(address, signal);
  const rows = await sql.query<{ name: string; standby: boolean }>(
    'SELECT datname AS name, pg_is_in_recovery() AS standby FROM pg_database WHERE datallowconn ORDER BY datname',
  );
  return {
    names: databases ?? rows.map(({ name }) => name),
    standby: rows[0]?.standby ?? false,
  };
}

async function markEnd(address: ServerAddress, signal: AbortSignal): Promise<void> {
  await using sql = await SqlSession.open(address, signal);
  await markLog(sql, 'page');
}

async function sampleDatabase(
  name: string,
  server: SampledServer,
  deadline: number,
  options: SampleOptions,
): Promise<DatabaseEvidence> {
  const { signal } = options;
  try {
    const view = await findView({ ...server, address: { ...server.address, database: name } }, options);
    await using sql = view.sql;
    await sql.query(SESSION_SETTINGS);
    const [facts] = await sql.query<Facts>(DATABASE_FACTS);
    if (facts === undefined) throw new Failure('internal', `${name} has no row in pg_database`);
    const { collationVersion, ...rest } = facts;
    const counted = await countTables(sql, name, deadline, { ...options, major: server.major });
    return {
      name,
      lsn: formatLsn(view.lsn),
      method: view.method,
      ...(view.inProgress === undefined ? {} : { inProgress: view.inProgress.map(String) }),
      ...rest,
      ...(collationVersion === null ? {} : { collationVersion }),
      ...counted,
    };
  } catch (error) {
    signal.throwIfAborted();
    if (!isFailure(error) || error.code === 'internal') throw error;
    return { name, unknown: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
  }
}

type Facts = Pick<SampledDatabase, 'collate' | 'ctype' | 'extensions'> & {
  readonly collationVersion: string | null;
};

async function findView(server: SampledServer, options: SampleOptions): Promise<ContentView> {
  const { address, major, standby } = server;
  const { clock, signal, slotPatience = USUAL_PATIENCE } = options;
  if (server.logical && (!standby || major >= FIRST_WITH_SLOTS_ON_STANDBY)) {
    const view = await viewBySlot(address, { major, clock, signal, patience: slotPatience }).catch(
      (error: unknown) => {
        // No slot is free, or the role may not have one: the log serves as well.
        if (standby || !isFailure(error) || error.code === 'source.unreachable') throw error;
        return undefined;
      },
    );
    if (view !== undefined) return view;
  }
  if (standby) throw notOnStandby();
  const view = await viewByLog(address, { clock, signal, tries: MOST_TRIES });
  if (view !== undefined) return view;
  throw new Failure(
    'source.unsupported',
    'the log could not be followed to a position at which it agrees with the content',
    {
      hint: 'Try again, or set wal_level = logical: then the server itself knows such positions.',
    },
  );
}

function notOnStandby(): Failure {
  return new Failure('source.unsupported', 'a standby does not know to which position its content belongs', {
    hint: 'Take evidence from the primary. From PostgreSQL 16 on a standby will do if wal_level is logical on the primary.',
  });
}

const USUAL_PATIENCE = 10_000;
const FIRST_WITH_SLOTS_ON_STANDBY = 16;
const MOST_TRIES = 50;
