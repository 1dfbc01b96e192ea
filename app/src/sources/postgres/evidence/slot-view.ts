import type { Clock } from '@holdfast/engine';
import { identifier, literal, ReplicationSession } from '../connection/replication-session.ts';
import type { ServerAddress } from '../connection/server-address.ts';
import { type Lsn, parseLsn } from '../wal/lsn.ts';
import type { ContentView } from './content-view.ts';
import { endBackend, SqlSession } from './sql-session.ts';

export interface SlotOptions {
  readonly major: number;
  readonly clock: Clock;
  /** Milliseconds: the server waits for the transactions that run when the slot is made, however long they run. */
  readonly patience: number;
  readonly signal: AbortSignal;
}

/**
 * A session that sees exactly what was committed before a position of the log: a temporary logical slot is made, exports
 * its snapshot, and goes as soon as the session has it. Undefined when the transactions that run do not end in time. A
 * server that cannot have such a slot answers with a failure.
 */
export async function viewBySlot(
  address: ServerAddress,
  options: SlotOptions,
): Promise<ContentView | undefined> {
  const { signal } = options;
  const sql = await SqlSession.open(address, signal);
  try {
    await using exported = await exportSnapshot(sql.address, options);
    if (exported === undefined) {
      await sql[Symbol.asyncDispose]();
      return undefined;
    }
    await sql.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await sql.query(`SET TRANSACTION SNAPSHOT ${literal(exported.name)}`);
    return { sql, lsn: exported.lsn, method: 'slot' };
  } catch (error) {
    await sql[Symbol.asyncDispose]();
    throw error;
  }
}

interface ExportedSnapshot extends AsyncDisposable {
  readonly lsn: Lsn;
  readonly name: string;
}

async function exportSnapshot(
  address: ServerAddress,
  { major, clock, patience, signal }: SlotOptions,
): Promise<ExportedSnapshot | undefined> {
  await using opening = new AsyncDisposableStack();
  const session = opening.use(await ReplicationSession.open(address, { logical: true, signal }));
  const [own] = await session.query('SELECT pg_backend_pid() AS pid');
  const pid = Number(own?.['pid']);
  const done = new AbortController();
  opening.defer(() => done.abort());
  const impatience = clock.sleep(patience, AbortSignal.any([signal, done.signal])).then(
    () => 'late' as const,
    () => 'ended' as const,
  );
  const [how, name] = [major >= 15 ? "(SNAPSHOT 'export')" : 'EXPORT_SNAPSHOT', `holdfast_evidence_${pid}`];
  const made = session.query(`CREATE_REPLICATION_SLOT ${identifier(name)} TEMPORARY LOGICAL pgoutput ${how}`);
  // Heard below, or ended by us.
  made.catch(() => undefined);
  try {
    const first = await Promise.race([made, impatience]);
    if (!Array.isArray(first)) {
      await endBackend(address, pid);
      signal.throwIfAborted();
      return undefined;
    }
    const [row] = first;
    const kept = opening.move();
    return {
      lsn: parseLsn(row?.['consistent_point'] ?? ''),
      name: row?.['snapshot_name'] ?? '',
      [Symbol.asyncDispose]: () => kept.disposeAsync(),
    };
  } catch (error) {
    // It waits for other transactions, not for us: it would not notice that the connection is closed.
    if (signal.aborted) await endBackend(address, pid);
    throw error;
  }
}
