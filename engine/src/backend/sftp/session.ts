import { Failure } from '../../kernel/failure.ts';
import { NotSftp, packetCutter } from './packets.ts';
import { brokenOff, notSftp, noWayIn, silence } from './reasons.ts';
import type { SshProcess } from './ssh-process.ts';
import { SftpError, STATUS } from './status.ts';
import { FieldReader, fields, TYPE } from './wire.ts';

export interface Request {
  readonly type: number;
  readonly fields: Uint8Array;
  /** A last string, whose bytes are sent as they are, without a copy. */
  readonly payload?: Uint8Array;
  /** The type of the answer, where it is not a status. */
  readonly answer?: number;
}

interface Waiting {
  readonly answer: number;
  readonly resolve: (fields: FieldReader) => void;
  readonly reject: (error: unknown) => void;
}

export interface SessionOptions {
  /** Where it leads to, for people. */
  readonly location: string;
  /** Milliseconds without a sign of life while something is awaited, after which the connection counts as dead. */
  readonly timeout: number;
}

/**
 * One connection to an SFTP server. Any number of requests may be on their way at once; answers find theirs by id.
 * Whatever breaks it ends it for good: all that is awaited rejects with the reason, and so does all that comes later.
 */
export class SftpSession {
  readonly #process: SshProcess;
  readonly #options: SessionOptions;
  readonly #waiting = new Map<number, Waiting | 'nobody'>();
  readonly #greeting = Promise.withResolvers<FieldReader>();
  #greeted = false;
  #nextId = 0;
  #end: { readonly reason: unknown } | undefined;
  #watch: NodeJS.Timeout | undefined;
  #silentTicks = 0;
  #extensions: ReadonlySet<string> = new Set();
  #pieces = { read: SAFE_PIECE, write: SAFE_PIECE };

  private constructor(process: SshProcess, options: SessionOptions) {
    this.#process = process;
    this.#options = options;
    const cut = packetCutter();
    process.output.on('data', (piece: Buffer) => {
      this.#silentTicks = 0;
      try {
        for (const packet of cut(piece)) this.#receive(packet);
      } catch (error) {
        const garbled = error instanceof NotSftp || error instanceof SftpError;
        this.#fail(garbled ? notSftp(options.location, error) : error);
      }
    });
    void process.ended.then((ending) => {
      this.#fail(this.#greeted ? brokenOff(options.location, ending) : noWayIn(options.location, ending));
    });
  }

  /**
   * Greets the server. Rejects with the reason when there is none, none that lets us in, or when the signal aborts
   * before; the process is gone then.
   */
  static async open(process: SshProcess, options: SessionOptions, signal: AbortSignal): Promise<SftpSession> {
    const session = new SftpSession(process, options);
    const giveUp = () => session.#fail(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      await session.#greet();
      return session;
    } catch (error) {
      session.#fail(error);
      throw error;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  async #greet(): Promise<void> {
    this.#startWatch();
    this.#send(TYPE.init, fields(VERSION));
    const greeting = await this.#greeting.promise;
    const version = greeting.uint32();
    if (version !== VERSION) {
      throw notSftp(this.#options.location, new Error(`it speaks version ${version}`));
    }
    const extensions = new Set<string>();
    while (!greeting.atEnd) {
      extensions.add(greeting.text());
      greeting.string();
    }
    this.#extensions = extensions;
    if (this.knows('limits@openssh.com')) await this.#learnLimits();
  }

  /** Why it cannot be used any more; undefined while it can. */
  get failure(): unknown {
    return this.#end?.reason;
  }

  /** Bytes in one read or write that the server accepts. */
  get pieces(): { readonly read: number; readonly write: number } {
    return this.#pieces;
  }

  knows(extension: string): boolean {
    return this.#extensions.has(extension);
  }

  /** Asks, and resolves with the answer's fields. A status that is not ok rejects as `SftpError`. */
  async ask(request: Request, signal?: AbortSignal): Promise<FieldReader> {
    signal?.throwIfAborted();
    if (this.#end !== undefined) throw this.#end.reason;
    const id = this.#nextId;
    this.#nextId = (id + 1) >>> 0;
    const { promise, resolve, reject } = Promise.withResolvers<FieldReader>();
    const leave = () => {
      this.#waiting.set(id, 'nobody');
      reject(signal?.reason);
    };
    this.#waiting.set(id, { answer: request.answer ?? TYPE.status, resolve, reject });
    this.#startWatch();
    this.#send(request.type, Buffer.concat([fields(id), request.fields]), request.payload);
    signal?.addEventListener('abort', leave, { once: true });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  /** Says goodbye; who does not go is sent away. */
  async close(): Promise<void> {
    this.#fail(new Failure('internal', `The connection to ${this.#options.location} was closed.`), false);
    this.#process.input.end();
    const force = setTimeout(() => this.#process.kill(), GOODBYE_MS);
    await this.#process.ended;
    clearTimeout(force);
  }

  #send(type: number, body: Uint8Array, payload?: Uint8Array): void {
    const tail = payload === undefined ? [] : [fields(payload.length)];
    const length = 1 + body.length + (payload === undefined ? 0 : 4 + payload.length);
    const { input } = this.#process;
    const alive = () => {
      this.#silentTicks = 0;
    };
    input.cork();
    input.write(Buffer.concat([fields(length), Uint8Array.of(type), body, ...tail]), alive);
    if (payload !== undefined) input.write(payload, alive);
    input.uncork();
  }

  #receive(packet: Buffer): void {
    const reader = new FieldReader(packet);
    const type = reader.byte();
    if (!this.#greeted) {
      if (type !== TYPE.version) throw new NotSftp(packet);
      this.#greeted = true;
      this.#greeting.resolve(reader);
      this.#stopWatchWhenIdle();
      return;
    }
    const id = reader.uint32();
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    this.#stopWatchWhenIdle();
    if (waiting === undefined) throw new NotSftp(packet);
    if (waiting === 'nobody') {
      // Who asked for this handle has left; an open file on the server is not to stay behind.
      if (type === TYPE.handle) this.#closeHandle(reader.string());
      return;
    }
    const status = type === TYPE.status ? reader.uint32() : STATUS.ok;
    if (status !== STATUS.ok) waiting.reject(new SftpError(status, statusText(reader, status)));
    else if (type === waiting.answer) waiting.resolve(reader);
    else
      waiting.reject(
        new SftpError(STATUS.badMessage, `an answer of type ${type} came for ${waiting.answer}`),
      );
  }

  #closeHandle(handle: Buffer): void {
    this.ask({ type: TYPE.close, fields: fields(handle) }).catch(() => undefined);
  }

  async #learnLimits(): Promise<void> {
    const answer = await this.ask({
      type: TYPE.extended,
      fields: fields('limits@openssh.com'),
      answer: TYPE.extendedReply,
    });
    answer.uint64(); // the longest packet, which is longer than either
    const [read, write] = [answer.uint64(), answer.uint64()];
    this.#pieces = { read: pieceWithin(read), write: pieceWithin(write) };
  }

  /*
   * Ticks rather than a moment in time: when this process itself could not run for a while (a machine asleep), only one
   * tick has passed.
   */
  #startWatch(): void {
    if (this.#watch !== undefined || this.#end !== undefined) return;
    this.#silentTicks = 0;
    this.#watch = setInterval(() => {
      this.#silentTicks += 1;
      if (this.#silentTicks > TICKS) this.#fail(silence(this.#options.location, this.#options.timeout));
    }, this.#options.timeout / TICKS);
  }

  #stopWatchWhenIdle(): void {
    if (this.#waiting.size > 0) return;
    clearInterval(this.#watch);
    this.#watch = undefined;
  }

  #fail(reason: unknown, kill = true): void {
    if (this.#end !== undefined) return;
    this.#end = { reason };
    clearInterval(this.#watch);
    this.#greeting.reject(reason);
    // Nobody awaits it any more once it has come.
    this.#greeting.promise.catch(() => undefined);
    for (const waiting of this.#waiting.values()) if (waiting !== 'nobody') waiting.reject(reason);
    this.#waiting.clear();
    if (kill) this.#process.kill();
  }
}

function statusText(reader: FieldReader, status: number): string {
  return (reader.atEnd ? '' : reader.text()) || `status ${status}`;
}

/** A limit of 0 is none. */
function pieceWithin(limit: number): number {
  return limit === 0 ? SAFE_PIECE : Math.min(limit, LARGEST_PIECE);
}

const VERSION = 3;
/** What every server must accept. */
const SAFE_PIECE = 32 * 1024;
/** OpenSSH's own limit: a packet of 256 KiB less what stands before the data. */
const LARGEST_PIECE = 255 * 1024;
const TICKS = 4;
const GOODBYE_MS = 2000;
