import type { Duplex } from 'node:stream';
import type { ServerError } from './server-error.ts';
import { SlabSocket } from './slab-socket.ts';

/** One message of the protocol: its type byte as a character, and what follows its length. */
export interface Message {
  readonly type: string;
  readonly body: Buffer;
}

/**
 * The messages of a connection whose login is done (protocol 3.0, "Message Formats"): a type byte, a length that counts
 * itself (4 bytes, big endian), a body.
 *
 * Reading is what drives the socket: when nobody takes messages it is paused, and TCP makes the server wait. At most
 * about 1 MiB lies here.
 */
export class MessageStream {
  readonly #socket: Duplex;
  readonly #chunks: Buffer[] = [];
  /** Of which nothing is left to be taken. */
  readonly #spent: Buffer[] = [];
  /** Bytes in `#chunks`, less those of the first that were taken. */
  #held = 0;
  #offset = 0;
  #ended = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;
  /** Runs from the moment when a message is waited for. */
  #watchdog: NodeJS.Timeout | undefined;

  constructor(socket: Duplex) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#hold(chunk);
      if (this.#held > MOST_HELD) socket.pause();
      this.#wake?.();
    });
    socket.on('error', (error) => this.#end(error));
    socket.on('end', () => this.#end());
    socket.on('close', () => this.#end());
    socket.resume();
  }

  /**
   * The next message; undefined when the server has closed the connection. With `lent` what came before is not looked at
   * any more: its memory may be used again.
   */
  async next(lent = false): Promise<Message | undefined> {
    if (lent) this.#giveBackSpent();
    this.#spent.length = 0;
    for (;;) {
      const message = this.#take();
      if (message !== undefined) return message;
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return undefined;
      this.#socket.resume();
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      this.#watchdog?.refresh();
      await promise;
      this.#wake = undefined;
    }
  }

  /** Resolves when more may be sent: the socket's own buffer is bounded too. */
  async send(type: string, body: Uint8Array): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    const message = Buffer.allocUnsafe(5 + body.length);
    message.write(type, 0, 'latin1');
    message.writeUInt32BE(4 + body.length, 1);
    message.set(body, 5);
    if (this.#socket.write(message) || this.#socket.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.once('drain', resolve).once('close', resolve);
    await promise;
    this.#socket.off('drain', resolve).off('close', resolve);
  }

  /**
   * From now on a server that sends nothing for so long while it is waited for counts as gone: one that is frozen, or that
   * a network hides, never says so. A server that we make wait does not.
   */
  limitSilence(milliseconds: number, reason: () => Error): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => {
      if (this.#wake !== undefined) this.destroy(reason());
    }, milliseconds);
    this.#watchdog.unref();
  }

  /** Ends the connection as the protocol wants it; resolves when the socket is closed, which a frozen server does not do. */
  async terminate(): Promise<void> {
    if (this.#socket.closed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.once('close', resolve);
    const impatience = setTimeout(() => this.#socket.destroy(), GOODBYE);
    // What still comes is dropped, else a paused socket would never see its end.
    this.#socket.removeAllListeners('data').resume();
    this.#socket.end(Buffer.from([0x58, 0, 0, 0, 4]));
    await promise;
    clearTimeout(impatience);
  }

  destroy(reason: Error): void {
    this.#end(reason);
    this.#socket.destroy();
  }

  #end(error?: Error): void {
    this.#ended = true;
    this.#error ??= error;
    clearTimeout(this.#watchdog);
    this.#wake?.();
  }

  /** A slab may have been taken in several chunks; what is still to come of it keeps all of it. */
  #giveBackSpent(): void {
    if (!(this.#socket instanceof SlabSocket)) return;
    for (const chunk of this.#spent) {
      if (chunk.buffer !== this.#chunks[0]?.buffer) this.#socket.giveBack(chunk);
    }
  }

  /** What follows in the same memory is one chunk: messages across both need not be copied then. */
  #hold(chunk: Buffer): void {
    this.#held += chunk.length;
    const last = this.#chunks.at(-1);
    if (
      last === undefined ||
      last.buffer !== chunk.buffer ||
      last.byteOffset + last.length !== chunk.byteOffset
    ) {
      this.#chunks.push(chunk);
      return;
    }
    const together = Buffer.from(last.buffer, last.byteOffset, last.length + chunk.length);
    this.#chunks[this.#chunks.length - 1] = together;
  }

  #take(): Message | undefined {
    if (this.#held < 5) return undefined;
    const head = this.#peek(5);
    const length = head.readUInt32BE(1) - 4;
    if (this.#held < 5 + length) return undefined;
    this.#skip(5);
    const body = this.#peek(length);
    this.#skip(length);
    return { type: String.fromCharCode(head[0] ?? 0), body };
  }

  /** The next bytes in one piece: copied only where they lie across chunks. */
  #peek(length: number): Buffer {
    const first = this.#chunks[0];
    if (first !== undefined && first.length - this.#offset >= length) {
      return first.subarray(this.#offset, this.#offset + length);
    }
    const whole = Buffer.allocUnsafe(length);
    let filled = 0;
    let from = this.#offset;
    for (const chunk of this.#chunks) {
      if (filled === length) break;
      filled += chunk.copy(whole, filled, from, Math.min(chunk.length, from + length - filled));
      from = 0;
    }
    return whole;
  }

  #skip(length: number): void {
    this.#held -= length;
    this.#offset += length;
    for (;;) {
      const first = this.#chunks[0];
      if (first === undefined || this.#offset < first.length) return;
      this.#offset -= first.length;
      this.#chunks.shift();
      this.#spent.push(first);
    }
  }
}

/** The fields of an ErrorResponse or NoticeResponse: a letter and a text ended by zero each. */
export function parseServerError(body: Buffer): ServerError {
  const fields = new Map<string, string>();
  for (let at = 0; at < body.length && body[at] !== 0; ) {
    const end = body.indexOf(0, at);
    fields.set(String.fromCharCode(body[at] ?? 0), body.toString('utf8', at + 1, end));
    at = end + 1;
  }
  return {
    severity: fields.get('V') ?? fields.get('S') ?? 'ERROR',
    code: fields.get('C') ?? 'XX000',
    message: fields.get('M') ?? 'the server gave no reason',
    detail: fields.get('D'),
    hint: fields.get('H'),
  };
}

/** Column names of a RowDescription. */
export function parseColumns(body: Buffer): string[] {
  const names: string[] = [];
  let at = 2;
  for (let left = body.readUInt16BE(0); left > 0; left--) {
    const end = body.indexOf(0, at);
    names.push(body.toString('utf8', at, end));
    // Behind the name: table oid, column number, type oid, type size, type modifier, format.
    at = end + 1 + 18;
  }
  return names;
}

/** Values of a DataRow as text; null where the server says so. */
export function parseRow(body: Buffer): (string | null)[] {
  const values: (string | null)[] = [];
  let at = 2;
  for (let left = body.readUInt16BE(0); left > 0; left--) {
    const length = body.readInt32BE(at);
    at += 4;
    values.push(length < 0 ? null : body.toString('utf8', at, at + length));
    at += Math.max(0, length);
  }
  return values;
}

const MOST_HELD = 1024 * 1024;
/** Milliseconds. */
const GOODBYE = 5000;
