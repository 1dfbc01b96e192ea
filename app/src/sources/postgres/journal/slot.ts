import { literal, ReplicationSession } from '../connection/replication-session.ts';
import type { ServerAddress } from '../connection/server-address.ts';
import { sqlStateOf } from '../connection/server-error.ts';
import type { Lsn } from '../wal/lsn.ts';
import { parseLsn } from '../wal/lsn.ts';

/** Our slot as it was found, and what was done about it. */
export interface PreparedSlot {
  /** `found` as we left it, `made` because there was none, `remade` because the server had given up its WAL. */
  readonly how: 'found' | 'made' | 'remade';
  /** The oldest WAL that it keeps; undefined when the server does not tell. */
  readonly restart: Lsn | undefined;
}

/**
 * Makes sure that our slot is there and keeps WAL. A slot beyond `max_slot_wal_keep_size` is lost for good: it has no
 * position any more, cannot be streamed from, and is made anew.
 */
export async function prepareSlot(
  session: ReplicationSession,
  address: ServerAddress,
  name: string,
  signal: AbortSignal,
): Promise<PreparedSlot> {
  // Of several hosts the one that we are on: each has its slots for itself.
  const here = { ...address, hosts: [session.host], targetSession: 'any' } as const;
  const read = () => readSlot(session, here, name, signal);
  const found = await read();
  if (found?.restart !== undefined) return { how: 'found', restart: found.restart };
  if (found !== undefined) await session.dropSlot(name);
  await session.createPhysicalSlot(name, { reserveWal: true });
  return { how: found === undefined ? 'made' : 'remade', restart: (await read())?.restart };
}

interface FoundSlot {
  readonly restart: Lsn | undefined;
}

async function readSlot(
  session: ReplicationSession,
  address: ServerAddress,
  name: string,
  signal: AbortSignal,
): Promise<FoundSlot | undefined> {
  try {
    const slot = await session.readSlot(name);
    return slot === undefined ? undefined : { restart: slot.restart?.lsn };
  } catch (error) {
    if (!UNKNOWN_COMMAND.includes(sqlStateOf(error) ?? '')) throw error;
    return await readSlotBySql(address, name, signal);
  }
}

/** Before 15 there is no READ_REPLICATION_SLOT; a walsender that names a database understands SQL as well. */
async function readSlotBySql(
  address: ServerAddress,
  name: string,
  signal: AbortSignal,
): Promise<FoundSlot | undefined> {
  await using session = await ReplicationSession.open(address, { logical: true, signal });
  const [row] = await session.query(
    `SELECT restart_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = ${literal(name)}`,
  );
  if (row === undefined) return undefined;
  const lsn = row['lsn'];
  return { restart: lsn === null || lsn === undefined ? undefined : parseLsn(lsn) };
}

/** syntax_error; feature_not_supported, since 14 takes what it does not know for SQL. */
const UNKNOWN_COMMAND = ['42601', '0A000'];
