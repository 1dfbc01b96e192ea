import type { Clock } from '@holdfast/engine';
import { type CopyBoth, ReplicationSession } from '../connection/replication-session.ts';
import type { ServerAddress } from '../connection/server-address.ts';
import { decodeWalMessage, encodeStandbyStatus } from '../journal/wal-messages.ts';
import { formatLsn, type Lsn, parseLsn } from '../wal/lsn.ts';
import { CommitScan } from './commit-records.ts';
import type { ContentView } from './content-view.ts';
import { markLog, SqlSession } from './sql-session.ts';
import { parseVisible, visibleCut } from './visible-cut.ts';

export interface LogOptions {
  readonly clock: Clock;
  /** How often to look for a view that fits. */
  readonly tries: number;
  readonly signal: AbortSignal;
}

/**
 * The same as `viewBySlot` where no logical slot can be had: a snapshot is taken as any transaction takes it, and the
 * log that is written meanwhile says where to cut so that it fits. When it does not fit once in so many tries, the last one
 * counts, and `inProgress` has those that may keep it from being exact. Undefined when the log cannot be followed.
 *
 * A commit that was written before we began to read, and was not visible yet, is not seen here. So a moment is waited for at
 * which no transaction is in progress any more that was then; where one stays (a long one, or one that waits for a synchronous
 * standby), the copy tells whether it had committed.
 */
export async function viewByLog(
  address: ServerAddress,
  options: LogOptions,
): Promise<ContentView | undefined> {
  const { signal, clock, tries } = options;
  const sql = await SqlSession.open(address, signal);
  try {
    await using session = await ReplicationSession.open(sql.address, { signal });
    await using other = await SqlSession.open(sql.address, signal);
    const { flushed } = await session.identifySystem();
    const tail = new LogTail(session, flushed - (flushed % PAGE), clock);
    // Only afterwards: whatever gets its number behind this one commits in what we read.
    const marked = await markLog(other, 'short');
    for (let tried = 0; tried < tries; tried += 1) {
      await sql.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const [row] = await sql.query<{ visible: string; until: string }>(
        'SELECT txid_current_snapshot()::text AS visible, pg_current_wal_insert_lsn()::text AS until',
      );
      const until = parseLsn(row?.until ?? '');
      const visible = parseVisible(row?.visible ?? '');
      // What others have begun to write may stay in the server's memory as long as they do not commit.
      await markLog(other, 'short');
      await tail.reach(until);
      const cut = tail.scan.lost ? undefined : visibleCut(tail.scan.commits, visible, until);
      const unsure =
        cut === undefined || cut.overtaken.length > 0 || visible.inProgress.some((xid) => xid < marked);
      if (cut !== undefined && (!unsure || tried === tries - 1)) {
        const inProgress = [...new Set([...visible.inProgress, ...cut.overtaken])];
        return { sql, lsn: cut.lsn, method: 'log', inProgress };
      }
      await sql.query('ROLLBACK');
      if (tail.scan.lost) break;
    }
  } catch (error) {
    await sql[Symbol.asyncDispose]();
    throw error;
  }
  await sql[Symbol.asyncDispose]();
  return undefined;
}

/** The end of a server's log, read as far as it is asked for. */
class LogTail {
  readonly scan: CommitScan;
  readonly #session: ReplicationSession;
  readonly #from: Lsn;
  readonly #clock: Clock;
  #stream: { readonly both: CopyBoth; readonly received: AsyncIterator<Buffer> } | undefined;

  constructor(session: ReplicationSession, from: Lsn, clock: Clock) {
    this.#session = session;
    this.#from = from;
    this.#clock = clock;
    this.scan = new CommitScan(from);
  }

  /** A position just behind a page's header is reached with the end of the page before. */
  async reach(lsn: Lsn): Promise<void> {
    const wanted = lsn % PAGE <= MOST_HEADER ? lsn - (lsn % PAGE) : lsn;
    this.#stream ??= await this.#start();
    const { both, received } = this.#stream;
    while (this.scan.reached < wanted) {
      const next = await received.next();
      if (next.done === true) return;
      const message = decodeWalMessage(next.value);
      if (message.kind === 'wal') this.scan.pass(message.data);
      else if (message.replyNow) {
        await both.send(encodeStandbyStatus({ flushed: 0n, now: this.#clock.now(), replyNow: false }));
      }
    }
  }

  async #start() {
    const answer = this.#session.run(`START_REPLICATION PHYSICAL ${formatLsn(this.#from)}`);
    for await (const part of keptOpen(answer)) {
      if (part.kind === 'copy-both') {
        return { both: part.stream, received: part.stream.received[Symbol.asyncIterator]() };
      }
    }
    throw new Error('a server that starts replication opens both directions');
  }
}

/** Leaving a generator ends it, and with it the connection: here the stream outlives the loop. */
function keptOpen<Part>(parts: AsyncGenerator<Part>): AsyncIterable<Part> {
  return { [Symbol.asyncIterator]: () => ({ next: () => parts.next() }) };
}

const PAGE = 8192n;
const MOST_HEADER = 40n;
