import { Failure } from '@holdfast/engine';
import type { Client, Connection, Submittable } from 'pg';
import { failureFrom } from '../connection/server-error.ts';

export interface Copied {
  /** Rows as each server counted them. */
  readonly sent: number;
  readonly taken: number;
  readonly bytes: number;
}

export interface CopyRequest {
  /** `COPY … TO STDOUT` on the one, `COPY … FROM STDIN` on the other, in the same format. */
  readonly out: string;
  readonly in: string;
  readonly signal: AbortSignal;
  /** Bytes that have been handed on since the last call. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Streams rows from one server to another without looking at them. A target that is slower than its source makes the source
 * wait: at most a few batches lie here. What the target says goes before what the source says, since its end is what
 * matters.
 */
export async function copyRows(source: Client, target: Client, request: CopyRequest): Promise<Copied> {
  const { signal, onBytes } = request;
  signal.throwIfAborted();
  const into = new CopyIn(request.in);
  target.query(into);
  await into.ready;
  let bytes = 0;
  const from = new CopyOut(request.out, (batch, resume) => {
    bytes += batch.length;
    onBytes(batch.length);
    return into.send(batch, resume);
  });
  const abort = () => from.stop(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  // The target may fail in the middle, for a row that it does not take: then nobody needs the rest.
  into.done.catch((error: unknown) => from.stop(error));
  try {
    source.query(from);
    const sent = await from.done;
    into.end();
    return { sent, taken: await into.done, bytes };
  } catch (error) {
    into.fail();
    await into.done.catch((told: unknown) => {
      if (!into.failedByUs) throw told;
    });
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** pg's connection below a client, as far as its types do not tell. */
interface CopyConnection extends Connection {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
}

abstract class Copy implements Submittable {
  readonly done: Promise<number>;
  protected connection: CopyConnection | undefined;
  protected readonly ended = Promise.withResolvers<number>();
  readonly #sql: string;
  #rows = 0;

  constructor(sql: string) {
    this.#sql = sql;
    this.done = this.ended.promise;
    this.done.catch(() => undefined);
  }

  submit(connection: Connection): void {
    this.connection = connection as CopyConnection;
    connection.query(this.#sql);
  }

  handleCommandComplete({ text }: { text: string }): void {
    this.#rows = Number(/^COPY (\d+)$/.exec(text)?.[1]);
  }

  handleReadyForQuery(): void {
    this.ended.resolve(this.#rows);
  }

  handleError(error: Error): void {
    this.ended.reject(error);
  }
}

class CopyIn extends Copy {
  readonly ready: Promise<void>;
  failedByUs = false;
  readonly #ready = Promise.withResolvers<void>();
  #open = true;

  constructor(sql: string) {
    super(sql);
    this.ready = this.#ready.promise;
    this.done.catch((error: unknown) => this.#ready.reject(error)).finally(() => (this.#open = false));
  }

  handleCopyInResponse(): void {
    this.#ready.resolve();
  }

  /** True when more may come at once; else `resume` is called when it may. */
  send(batch: Buffer, resume: () => void): boolean {
    if (!this.#open || this.connection === undefined) return true;
    this.connection.sendCopyFromChunk(batch);
    if (!this.connection.stream.writableNeedDrain) return true;
    this.connection.stream.once('drain', resume);
    return false;
  }

  end(): void {
    if (this.#open) this.connection?.endCopyFrom();
  }

  fail(): void {
    if (!this.#open) return;
    this.failedByUs = true;
    this.connection?.sendCopyFail('the copy was given up');
  }
}

/** Hands a batch on; false makes the source wait until `resume` is called. */
type HandOn = (batch: Buffer, resume: () => void) => boolean;

class CopyOut extends Copy {
  readonly #handOn: HandOn;
  #batch = Buffer.allocUnsafe(BATCH);
  #filled = 0;
  #stopped = false;

  constructor(sql: string, handOn: HandOn) {
    super(sql);
    this.#handOn = handOn;
  }

  /** A message holds one row, and lies in memory that the next one is read into. */
  handleCopyData({ chunk }: { chunk: Buffer }): void {
    if (this.#stopped) return;
    if (this.#filled + chunk.length > BATCH) this.#flush();
    if (chunk.length > BATCH) {
      this.#give(Buffer.from(chunk));
      return;
    }
    this.#filled += chunk.copy(this.#batch, this.#filled);
  }

  override handleReadyForQuery(): void {
    this.#flush();
    super.handleReadyForQuery();
  }

  override handleError(error: Error): void {
    super.handleError(failureFrom(error, 'the server of then'));
  }

  /** There is no other way to make a server stop sending than to leave: its connection is of no use afterwards. */
  stop(reason: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.ended.reject(reason ?? new Failure('interrupted', 'the copy was given up'));
    this.connection?.stream.destroy();
  }

  #flush(): void {
    if (this.#filled === 0) return;
    const batch = this.#batch.subarray(0, this.#filled);
    this.#batch = Buffer.allocUnsafe(BATCH);
    this.#filled = 0;
    this.#give(batch);
  }

  #give(batch: Buffer): void {
    const stream = this.connection?.stream;
    if (!this.#handOn(batch, () => stream?.resume())) stream?.pause();
  }
}

/** Bytes handed on at once: a row by row write would be a system call each. */
const BATCH = 64 * 1024;
