import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import { Spool } from '../../app/src/journal/spool.ts';
import { parseServerUrl, serverAddress } from '../../app/src/sources/postgres/connection/server-address.ts';
import type { JournalEvent } from '../../app/src/sources/postgres/journal/journal-event.ts';
import {
  inspectServer,
  type ReceiverOptions,
  receiveWal,
} from '../../app/src/sources/postgres/journal/receiver.ts';
import { type Lsn, parseLsn } from '../../app/src/sources/postgres/wal/lsn.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { type Major, type RunningPostgres, startPostgres, type Version } from '../servers/postgres.ts';

export const SLOT = 'holdfast';

/** A folder for spools and copies, open to the user that a restored server runs as; gone when disposed. */
export class JournalScene implements AsyncDisposable {
  readonly base = mkdtempSync(join(tmpdir(), 'holdfast-journal-'));
  readonly spool = join(this.base, 'spool');
  #copies = 0;

  constructor() {
    chmodSync(this.base, 0o755);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.base, { recursive: true, force: true });
  }

  /** A copy of a stopped server's data directory: the plainest base there is. */
  coldCopy(server: RunningPostgres): string {
    this.#copies += 1;
    const copy = join(this.base, `base-${this.#copies}`);
    cpSync(server.dataDirectory, copy, { recursive: true, preserveTimestamps: true });
    own(copy, server.dataDirectory);
    return copy;
  }

  /** Starts a server from a base, which replays what `walDirectory` has of a timeline; also partial segments. */
  async recover(
    major: Version,
    dataDirectory: string,
    walDirectory: string,
    timeline = 'latest',
  ): Promise<RunningPostgres> {
    for (const name of readdirSync(walDirectory)) chmodSync(join(walDirectory, name), 0o644);
    // The server's user has to get there.
    for (let folder = walDirectory; folder !== this.base; folder = dirname(folder)) chmodSync(folder, 0o755);
    const command = `cp ${walDirectory}/%f %p || cp ${walDirectory}/%f.partial %p`;
    rmSync(join(dataDirectory, 'postmaster.pid'), { force: true });
    const settings = [
      `restore_command = '${command}'`,
      `recovery_target_timeline = '${timeline}'`,
      "synchronous_standby_names = ''",
    ];
    const configuration = join(dataDirectory, 'postgresql.conf');
    writeFileSync(configuration, `${readFileSync(configuration, 'utf8')}\n${settings.join('\n')}\n`);
    writeFileSync(join(dataDirectory, 'recovery.signal'), '');
    own(dataDirectory, dataDirectory);
    const server = await startPostgres({ major, dataDirectory });
    await promoted(server);
    return server;
  }
}

/** A receiver within this process. */
export class Receiver implements AsyncDisposable {
  readonly events: JournalEvent[] = [];
  readonly #stop = new AbortController();
  readonly spool: Spool;
  readonly #running: Promise<void>;
  #heard = Promise.withResolvers<void>();

  private constructor(spool: Spool, run: (receiver: Receiver, signal: AbortSignal) => Promise<void>) {
    this.spool = spool;
    this.#running = run(this, this.#stop.signal);
    this.#running.catch(() => undefined);
  }

  /** `changes`: what is to be otherwise than usual. */
  static async start(
    url: string,
    directory: string,
    { name = SLOT, ...changes }: { readonly name?: string } & Partial<ReceiverOptions> = {},
  ): Promise<Receiver> {
    const address = { ...serverAddress(parseServerUrl(url)), applicationName: name };
    const server = await inspectServer(address, AbortSignal.timeout(30_000));
    const spool = await Spool.open({ directory, owner: { source: 'postgres', identity: server.systemId } });
    return new Receiver(spool, (receiver, signal) =>
      receiveWal({
        findServer: async () => address,
        slot: name,
        spool,
        server,
        clock: systemClock,
        random: Math.random,
        lowSpace: 0,
        ...changes,
        signal,
        onEvent: (event) => {
          receiver.#hear(event);
          changes.onEvent?.(event);
        },
      }),
    );
  }

  get flushed(): Lsn {
    const last = this.events.findLast((event) => event.kind === 'flushed');
    return last?.progress.flushed ?? 0n;
  }

  of<Kind extends JournalEvent['kind']>(kind: Kind): Extract<JournalEvent, { kind: Kind }>[] {
    return this.events.filter((event) => event.kind === kind) as Extract<JournalEvent, { kind: Kind }>[];
  }

  /** Resolves as soon as the condition holds after some event; rejects when the receiver ends before. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      this.#heard = Promise.withResolvers();
      await Promise.race([
        this.#heard.promise,
        this.#running.then(() => {
          throw new Error('the receiver has ended');
        }),
      ]);
    }
  }

  /** Until all that the server has made durable is durable here. */
  async caughtUp(server: RunningPostgres): Promise<Lsn> {
    const goal = await flushLsn(server);
    await this.until(() => this.flushed >= goal);
    return goal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running.catch(() => undefined);
    await this.spool[Symbol.asyncDispose]();
  }

  #hear(event: JournalEvent): void {
    this.events.push(event);
    this.#heard.resolve();
  }
}

/** A receiver in a process of its own, which can be killed. */
export class ReceiverProcess {
  readonly #child: ChildProcess;
  #streaming = Promise.withResolvers<void>();

  constructor(url: string, directory: string) {
    const script = new URL('receive-loop.ts', import.meta.url).pathname;
    this.#child = spawn(process.execPath, ['--conditions=source', script, url, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      if (line === 'streaming') this.#streaming.resolve();
    });
    this.#child.once('exit', () =>
      this.#streaming.reject(new Error('the receiver ended before it streamed')),
    );
    this.#streaming.promise.catch(() => undefined);
  }

  streaming(): Promise<void> {
    return this.#streaming.promise;
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#child.once('exit', () => resolve());
    this.#child.kill('SIGKILL');
    await promise;
  }
}

/** Writes rows without pause; knows which of them the server has acknowledged. */
export class Shop implements AsyncDisposable {
  readonly #client: Client;
  readonly #running: Promise<void>;
  readonly #rowBytes: number;
  acknowledged = 0;
  #stopped = false;

  private constructor(client: Client, rowBytes: number) {
    this.#client = client;
    this.#rowBytes = rowBytes;
    client.on('error', () => undefined);
    this.#running = this.#sell();
  }

  static async open(url: string, rowBytes = 4000): Promise<Shop> {
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query('CREATE TABLE IF NOT EXISTS orders (number int PRIMARY KEY, note text)');
    return new Shop(client, rowBytes);
  }

  async sold(count: number): Promise<void> {
    while (this.acknowledged < count && !this.#stopped) await new Promise(setImmediate);
  }

  /** Stops; a commit that waits for a receiver that is gone is given up. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await Promise.race([this.#running, this.#client.end().catch(() => undefined)]);
  }

  async #sell(): Promise<void> {
    try {
      while (!this.#stopped) {
        await this.#client.query(
          'INSERT INTO orders SELECT $1, string_agg(md5(random()::text), $3) FROM generate_series(1, $2)',
          [this.acknowledged + 1, Math.ceil(this.#rowBytes / 32), ''],
        );
        this.acknowledged += 1;
      }
    } catch {
      // The server is gone, or we have ended the connection.
      this.#stopped = true;
    }
  }
}

/** Starts a standby of a primary from a cold copy of its data directory; the primary need not run yet. */
export async function standbyOf(
  primary: RunningPostgres,
  dataDirectory: string,
  major: Major,
): Promise<RunningPostgres> {
  rmSync(join(dataDirectory, 'postmaster.pid'), { force: true });
  const lines = [
    `primary_conninfo = 'host=127.0.0.1 port=${primary.port} user=postgres'`,
    "wal_retrieve_retry_interval = '100ms'",
  ];
  const configuration = join(dataDirectory, 'postgresql.conf');
  writeFileSync(configuration, `${readFileSync(configuration, 'utf8')}\n${lines.join('\n')}\n`);
  writeFileSync(join(dataDirectory, 'standby.signal'), '');
  own(dataDirectory, dataDirectory);
  return await startPostgres({ major, dataDirectory });
}

export async function flushLsn(server: RunningPostgres): Promise<Lsn> {
  const [row] = await server.query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn()::text AS lsn');
  return parseLsn(row?.lsn ?? '');
}

/** Makes about so many bytes of WAL that do not compress. */
export async function makeWal(server: RunningPostgres, bytes: number): Promise<void> {
  await server.query(
    `CREATE TABLE IF NOT EXISTS filler (content text);
     INSERT INTO filler SELECT string_agg(md5(random()::text), '') FROM generate_series(1, ${Math.ceil(bytes / 32)}) AS n GROUP BY n / 50`,
  );
}

/** Names of the segments in a spool that are not what the server has under the same name. */
export function differingSegments(spool: string, server: RunningPostgres): string[] {
  return readdirSync(spool).filter((name) => {
    const theirs = join(server.dataDirectory, 'pg_wal', name);
    if (!/^[0-9A-F]{24}$/.test(name)) return false;
    return !existsSync(theirs) || !readFileSync(join(spool, name)).equals(readFileSync(theirs));
  });
}

export async function promoted(server: RunningPostgres): Promise<void> {
  for (;;) {
    const [row] = await server.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
    if (row?.standby === false) return;
  }
}

function own(directory: string, like: string): void {
  const { uid, gid } = statSync(like);
  chownSync(directory, uid, gid);
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    chownSync(join(entry.parentPath, entry.name), uid, gid);
  }
}
