import { Failure } from '@holdfast/engine';
import { type Lsn, parseLsn } from '../wal/lsn.ts';
import { backendKeyOf, requestCancel } from './cancel-request.ts';
import { logIn, takeSocket } from './login.ts';
import { type Message, MessageStream, parseColumns, parseRow, parseServerError } from './message-stream.ts';
import { type HostAddress, type ServerAddress, serverName } from './server-address.ts';
import { failureFrom, type ServerError } from './server-error.ts';

/** A row of an answer by column name; null where the server says so. */
export type ReplyRow = Readonly<Record<string, string | null>>;

/** One part of what a server answers to one command, in order. A stream must be read to its end before the next part. */
export type ReplyPart =
  | { readonly kind: 'rows'; readonly rows: readonly ReplyRow[] }
  | { readonly kind: 'copy-out'; readonly data: AsyncIterable<Buffer> }
  | { readonly kind: 'copy-in'; readonly stream: CopyIn }
  | { readonly kind: 'copy-both'; readonly stream: CopyBoth };

/** What the server waits for; it answers once `end` has been called. */
export interface CopyIn {
  send(payload: Uint8Array): Promise<void>;
  end(): Promise<void>;
}

/** Both directions open: what START_REPLICATION makes of a connection. */
export interface CopyBoth {
  /** Payloads of CopyData. Ends when the server has no more on this timeline, or after `end` was called. */
  readonly received: AsyncIterable<Buffer>;
  send(payload: Uint8Array): Promise<void>;
  /** Says that we send no more. What the server has sent till then still comes. */
  end(): Promise<void>;
}

export interface SystemIdentity {
  readonly systemId: string;
  readonly timeline: number;
  /** How far the server's log is durable. */
  readonly flushed: Lsn;
}

export interface SlotState {
  readonly kind: 'physical' | 'logical';
  /** The oldest WAL that the slot keeps; absent when none was reserved, or when the slot has lost it. */
  readonly restart?: { readonly lsn: Lsn; readonly timeline: number };
}

/**
 * A connection to a server's walsender (the manual's "Streaming Replication Protocol"). One command at a time. After
 * any failure of the connection, and after an abort, it is closed; temporary slots go with it.
 */
export class ReplicationSession implements AsyncDisposable {
  /** The host that answered, of those in the address. */
  readonly host: HostAddress;
  readonly #messages: MessageStream;
  readonly #name: string;
  readonly #signal: AbortSignal | undefined;
  readonly #cancel: () => Promise<void>;
  /** Whether a command was sent whose answer has not begun. */
  #unanswered = false;
  #cancelling: Promise<void> | undefined;

  private constructor(
    messages: MessageStream,
    name: string,
    host: HostAddress,
    { signal, cancel }: { signal: AbortSignal | undefined; cancel: () => Promise<void> },
  ) {
    this.#messages = messages;
    this.#name = name;
    this.host = host;
    this.#signal = signal;
    this.#cancel = cancel;
    if (signal?.aborted) this.#abort();
    signal?.addEventListener('abort', this.#abort, { once: true });
  }

  /** `logical` names a database and may run logical slots and plain SQL as well. */
  static async open(
    address: ServerAddress,
    options: { readonly logical?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<ReplicationSession> {
    const { logical = false, signal } = options;
    const purpose = logical ? 'logical-replication' : 'replication';
    const { client, host } = await logIn(address, purpose, signal);
    const cancel = requestCancel.bind(undefined, host, backendKeyOf(client));
    const messages = new MessageStream(takeSocket(client));
    return new ReplicationSession(messages, serverName(address, host), host, { signal, cancel });
  }

  /**
   * Ends the connection. A server that sends notices that by itself; one that waits for a checkpoint does not look, and would
   * keep the connection and its slot for minutes: it is asked to stop waiting.
   */
  readonly #abort = (): void => {
    if (this.#unanswered) this.#cancelling = this.#cancel();
    this.#messages.destroy(this.#signal?.reason);
  };

  /** From now on a server that is silent for so many milliseconds while we wait for it is `source.unreachable`. */
  limitSilence(milliseconds: number): void {
    this.#messages.limitSilence(
      milliseconds,
      () =>
        new Failure('source.unreachable', `the server has sent nothing for ${milliseconds / 1000} s`, {
          subject: this.#name,
          hint: 'Is it frozen, or is the network between here and there cut?',
        }),
    );
  }

  async identifySystem(): Promise<SystemIdentity> {
    const [row] = await this.query('IDENTIFY_SYSTEM');
    return {
      systemId: text(row, 'systemid'),
      timeline: Number(text(row, 'timeline')),
      flushed: parseLsn(text(row, 'xlogpos')),
    };
  }

  /** A setting as the server prints it: `16MB`, `on`. */
  async show(setting: string): Promise<string> {
    const [row] = await this.query(`SHOW ${setting}`);
    return text(row, setting);
  }

  /** PostgreSQL 15 and newer. Undefined when there is no slot of that name. */
  async readSlot(name: string): Promise<SlotState | undefined> {
    const [row] = await this.query(`READ_REPLICATION_SLOT ${identifier(name)}`);
    const kind = row?.['slot_type'];
    if (kind !== 'physical' && kind !== 'logical') return undefined;
    const lsn = row?.['restart_lsn'];
    if (lsn === null || lsn === undefined) return { kind };
    return { kind, restart: { lsn: parseLsn(lsn), timeline: Number(text(row, 'restart_tli')) } };
  }

  /** With `reserveWal` the server keeps its WAL from the last checkpoint's redo on, at once. */
  async createPhysicalSlot(
    name: string,
    options: { readonly temporary?: boolean; readonly reserveWal?: boolean } = {},
  ): Promise<void> {
    const temporary = options.temporary ? ' TEMPORARY' : '';
    const reserve = options.reserveWal ? ' RESERVE_WAL' : '';
    await this.query(`CREATE_REPLICATION_SLOT ${identifier(name)}${temporary} PHYSICAL${reserve}`);
  }

  async dropSlot(name: string): Promise<void> {
    await this.query(`DROP_REPLICATION_SLOT ${identifier(name)}`);
  }

  /** The history file of a timeline above 1: its name in pg_wal and its content. */
  async timelineHistory(timeline: number): Promise<{ readonly fileName: string; readonly content: string }> {
    const [row] = await this.query(`TIMELINE_HISTORY ${timeline}`);
    return { fileName: text(row, 'filename'), content: text(row, 'content') };
  }

  /** The rows of a command that answers with rows, all result sets in one. */
  async query(command: string): Promise<ReplyRow[]> {
    const rows: ReplyRow[] = [];
    for await (const part of this.run(command)) {
      if (part.kind !== 'rows') throw this.#unexpected('a copy', command);
      rows.push(...part.rows);
    }
    return rows;
  }

  /** The payloads of a command that answers with one stream, such as BASE_BACKUP's since 15. */
  async *copyOut(command: string): AsyncGenerator<Buffer> {
    for await (const part of this.run(command)) {
      if (part.kind === 'copy-out') yield* part.data;
    }
  }

  /** Runs a command that asks for one stream, such as UPLOAD_MANIFEST. */
  async copyIn(command: string, bytes: Uint8Array): Promise<void> {
    for await (const part of this.run(command)) {
      if (part.kind !== 'copy-in') throw this.#unexpected('something else than a copy', command);
      for (let from = 0; from < bytes.length; from += PIECE) {
        await part.stream.send(bytes.subarray(from, from + PIECE));
      }
      await part.stream.end();
    }
  }

  /**
   * Runs a command and gives its answer part by part. Leaving before the end closes the connection: there is no other
   * way to make a server stop sending. A failed command is thrown as a failure whose cause is the `ServerError`.
   *
   * With `lent` each payload of a copy is there only until the next one is asked for, which spares much memory.
   */
  async *run(command: string, { lent = false } = {}): AsyncGenerator<ReplyPart, void, void> {
    this.#unanswered = true;
    await this.#send('Q', Buffer.from(`${command}\0`));
    let columns: string[] = [];
    let rows: ReplyRow[] = [];
    let error: ServerError | undefined;
    let finished = false;
    try {
      for (;;) {
        const { type, body } = await this.#next({ told: error });
        this.#unanswered = false;
        switch (type) {
          case 'T':
            columns = parseColumns(body);
            rows = [];
            break;
          case 'D':
            rows.push(namedRow(columns, parseRow(body)));
            break;
          case 'C':
            if (columns.length > 0) yield { kind: 'rows', rows };
            columns = [];
            break;
          case 'H':
            yield { kind: 'copy-out', data: this.#copyData(lent) };
            break;
          case 'G':
            yield {
              kind: 'copy-in',
              stream: {
                send: (payload) => this.#send('d', payload),
                end: () => this.#send('c', new Uint8Array(0)),
              },
            };
            break;
          case 'W':
            yield { kind: 'copy-both', stream: this.#copyBoth() };
            break;
          case 'E':
            error = parseServerError(body);
            break;
          case 'Z':
            finished = true;
            if (error !== undefined) throw failureFrom(error, this.#name);
            return;
        }
      }
    } finally {
      if (!finished) this.#messages.destroy(new Failure('interrupted', `${command} was left before its end`));
    }
  }

  /** Ends the session; the server then removes its temporary slots. */
  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#abort);
    await this.#messages.terminate();
    await this.#cancelling;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async *#copyData(lent = false): AsyncGenerator<Buffer> {
    for (;;) {
      const { type, body } = await this.#next({ lent });
      if (type === 'd') yield body;
      else if (type === 'c') return;
      else if (type === 'E') throw failureFrom(parseServerError(body), this.#name);
    }
  }

  #copyBoth(): CopyBoth {
    let ended = false;
    const end = async () => {
      if (ended) return;
      ended = true;
      await this.#send('c', new Uint8Array(0));
    };
    const copyData = this.#copyData.bind(this);
    const received = (async function* () {
      yield* copyData();
      // The server waits for our own end before it says what comes next.
      await end();
    })();
    return { received, send: (payload) => this.#send('d', payload), end };
  }

  async #next({ told, lent = false }: { told?: ServerError | undefined; lent?: boolean }): Promise<Message> {
    for (;;) {
      const message = await this.#messages.next(lent).catch((error: unknown) => {
        throw told === undefined ? this.#failure(error) : failureFrom(told, this.#name);
      });
      if (message === undefined) {
        if (told !== undefined) throw failureFrom(told, this.#name);
        throw new Failure('source.unreachable', 'the server closed the connection', { subject: this.#name });
      }
      // Notices and changed settings may come at any time.
      if (message.type !== 'N' && message.type !== 'S') return message;
    }
  }

  async #send(type: string, body: Uint8Array): Promise<void> {
    await this.#messages.send(type, body).catch((error: unknown) => {
      throw this.#failure(error);
    });
  }

  /** What the caller's signal was aborted with comes back as it is. */
  #failure(error: unknown): unknown {
    return error instanceof Error && 'syscall' in error ? failureFrom(error, this.#name) : error;
  }

  #unexpected(what: string, command: string): Failure {
    return new Failure('internal', `the server answered "${command}" with ${what}`, { subject: this.#name });
  }
}

/** Bytes of a message that we send. */
const PIECE = 64 * 1024;

/** Slot names need no quotes, but a name from outside must not become a command. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function literal(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function namedRow(columns: readonly string[], values: readonly (string | null)[]): ReplyRow {
  return Object.fromEntries(columns.map((column, at) => [column, values[at] ?? null]));
}

function text(row: ReplyRow | undefined, column: string): string {
  const value = row?.[column];
  if (value !== null && value !== undefined) return value;
  throw new Failure('internal', `the server's answer has no ${column}`);
}
