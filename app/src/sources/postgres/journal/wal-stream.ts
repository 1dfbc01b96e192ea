import { type Clock, Failure } from '@holdfast/engine';
import type { CopyBoth } from '../connection/replication-session.ts';
import { formatLsn, type Lsn } from '../wal/lsn.ts';
import type { JournalProgress } from './journal-event.ts';
import { decodeWalMessage, encodeStandbyStatus } from './wal-messages.ts';
import type { WalWriter } from './wal-writer.ts';

export interface WalStreamOptions {
  readonly stream: CopyBoth;
  readonly writer: WalWriter;
  readonly timeline: number;
  readonly clock: Clock;
  readonly onFlushed: (progress: JournalProgress) => void;
}

/**
 * Receives one timeline until the server ends it. Reading and writing go side by side: while one batch is on its way
 * to the disk the next arrives, and all that has arrived by then is one write, one fdatasync and one acknowledgement.
 * So the load itself decides how large a batch is, and nobody waits for a batch to fill.
 *
 * Resolves when the server has no more on this timeline, and all of it is durable. Rejects with what broke the stream
 * or the spool; the connection is of no use then.
 */
export async function receiveTimeline(options: WalStreamOptions): Promise<void> {
  const { stream, writer, timeline, clock, onFlushed } = options;
  const queue = new WalQueue();
  const done = new AbortController();
  const begun = writer.next;
  let serverEnd: Lsn = 0n;
  let heardAt = clock.now();

  /** A position moves the slot, backwards too: where we merely begin may be WAL that the server has removed. */
  async function acknowledge(replyNow = false): Promise<void> {
    const flushed = writer.flushed > begun ? writer.flushed : 0n;
    await stream.send(encodeStandbyStatus({ flushed, now: clock.now(), replyNow }));
  }

  async function read(): Promise<void> {
    let expected = writer.next;
    for await (const payload of stream.received) {
      const message = decodeWalMessage(payload);
      heardAt = clock.now();
      if (message.serverEnd > serverEnd) serverEnd = message.serverEnd;
      if (message.kind === 'keepalive') {
        if (message.replyNow) await acknowledge();
        continue;
      }
      if (message.start !== expected) throw outOfOrder(message.start, expected);
      expected += BigInt(message.data.length);
      await queue.put(message.data, message.sentAt);
    }
    queue.end();
  }

  async function write(): Promise<void> {
    for (;;) {
      const batch = await queue.takeAll();
      if (batch === undefined) return;
      await writer.append(batch.pieces);
      const flushed = await writer.sync();
      await acknowledge();
      const lagMilliseconds = Math.max(0, clock.now() - batch.sentAt);
      onFlushed({ timeline, flushed, serverEnd: flushed > serverEnd ? flushed : serverEnd, lagMilliseconds });
    }
  }

  /** TCP alone would notice a vanished server only after hours. */
  async function watch(): Promise<void> {
    for (;;) {
      await clock.sleep(ASK_EVERY_MS, done.signal);
      const silence = clock.now() - heardAt;
      if (silence > LONGEST_SILENCE_MS) {
        throw new Failure(
          'source.unreachable',
          `the server has been silent for ${Math.round(silence / 1000)} s`,
        );
      }
      await acknowledge(true);
    }
  }

  const watching = watch().catch((error: unknown) => {
    if (!done.signal.aborted) throw error;
  });
  const writing = write();
  try {
    await Promise.race([Promise.all([read(), writing]), watching.then(() => never)]);
  } finally {
    done.abort();
    queue.end();
    // Whoever begins the same segment again must find it left alone; and what has arrived is worth keeping.
    await writing.catch(() => undefined);
  }
}

/** Pieces of WAL between the socket and the disk, at most so many bytes: beyond it the server has to wait. */
class WalQueue {
  #pieces: Buffer[] = [];
  #bytes = 0;
  #sentAt = 0;
  #ended = false;
  #filled = Promise.withResolvers<void>();
  #drained = Promise.withResolvers<void>();

  async put(piece: Buffer, sentAt: number): Promise<void> {
    if (this.#ended) return;
    if (this.#pieces.length === 0) this.#sentAt = sentAt;
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    this.#filled.resolve();
    if (this.#bytes >= MOST_QUEUED) await this.#drained.promise;
  }

  /** Undefined when it has ended and is empty. */
  async takeAll(): Promise<{ readonly pieces: readonly Buffer[]; readonly sentAt: number } | undefined> {
    while (this.#pieces.length === 0 && !this.#ended) await this.#filled.promise;
    if (this.#pieces.length === 0) return undefined;
    const batch = { pieces: this.#pieces, sentAt: this.#sentAt };
    this.#pieces = [];
    this.#bytes = 0;
    this.#drained.resolve();
    if (!this.#ended) this.#filled = Promise.withResolvers();
    this.#drained = Promise.withResolvers();
    return batch;
  }

  end(): void {
    this.#ended = true;
    this.#filled.resolve();
    this.#drained.resolve();
  }
}

function outOfOrder(start: Lsn, expected: Lsn): Failure {
  return new Failure(
    'source.unreadable',
    `the server went on at ${formatLsn(start)} where ${formatLsn(expected)} was next`,
  );
}

const never = new Promise<never>(() => undefined);
const MOST_QUEUED = 8 * 1024 * 1024;
/** Well below the server's `wal_sender_timeout` (60 s unless set): it hears from us before it has to ask. */
const ASK_EVERY_MS = 10_000;
const LONGEST_SILENCE_MS = 60_000;
