import { join } from 'node:path';
import { type Clock, isFailure } from '@holdfast/engine';
import type { Client } from 'pg';
import type { Work } from '../../cli/command-frame.ts';
import type { CommandParts } from '../../cli/command-table.ts';
import type { PostgresRestorePlan } from '../../cli/commands/postgres/restore.ts';
import type { RepositoryAccess } from '../../cli/repository-options.ts';
import type { Playground } from '../playground.ts';
import { type Audit, auditBooks, type Books, readBooks } from './books.ts';
import type { Installation } from './installation.ts';
import { DemoServer, makeCluster, openPort, type Port, type ServerOptions, withClient } from './server.ts';
import { fillShop, type Stock } from './shop.ts';
import { Tills } from './tills.ts';

export interface ShopSetting {
  readonly planPostgresRestore: CommandParts['planPostgresRestore'];
  readonly installation: Installation;
  /** Where the servers' data go. */
  readonly servers: Playground;
  readonly clock: Clock;
  readonly work: Work;
}

/** A disaster, and what came back of it. */
export interface Recovery {
  /** When it struck, milliseconds since the epoch. */
  readonly struckAt: number;
  /** From then until the shop took an order again, in milliseconds. */
  readonly closed: number;
  readonly audit: Audit;
}

/** Which moment is brought back, from where, and how the server's directory is called. */
export interface WantedMoment {
  /** ISO 8601, or `latest`. */
  readonly to: string;
  readonly name: ServerName;
  readonly access: RepositoryAccess;
  readonly onPlan?: (plan: PostgresRestorePlan) => void;
}

/** Each data directory of a story, below the place for servers. */
type ServerName = 'first' | 'restored' | 'rebuilt' | 'alone' | 'offsite';

/** The shop as customers see it: one address, tills behind it, and whichever server runs there now. */
export class ShopFront implements AsyncDisposable {
  readonly port: Port;
  readonly stock: Stock;
  readonly tills: Tills;
  readonly #setting: ShopSetting;
  #server: DemoServer;

  private constructor(setting: ShopSetting, port: Port, server: DemoServer, stock: Stock) {
    this.#setting = setting;
    this.port = port;
    this.#server = server;
    this.stock = stock;
    this.tills = new Tills(port, stock, setting.clock);
  }

  static async open(setting: ShopSetting): Promise<ShopFront> {
    await using opened = new AsyncDisposableStack();
    const port = opened.use(await openPort(setting.installation.account));
    const options = serverOptions(setting, 'first', port);
    await makeCluster(options);
    const server = opened.use(await DemoServer.start(options));
    const stock = await withClient(port, setting.work.signal, fillShop);
    opened.move();
    return new ShopFront(setting, port, server, stock);
  }

  /** From now on no order is confirmed that the journal of this name has not made durable in its spool. */
  async demandJournal(name: string): Promise<void> {
    await withClient(this.port, this.#setting.work.signal, async (client) => {
      await client.query(`ALTER SYSTEM SET synchronous_standby_names = '${name}'`);
      await client.query('SELECT pg_reload_conf()');
    });
  }

  /** Milliseconds that the spool of the journal is behind the server, as the server has measured it. */
  async journalLag(name: string): Promise<number> {
    return await withClient(this.port, this.#setting.work.signal, async (client) => {
      const { rows } = await client.query<{ lag: number | null }>(
        `SELECT (extract(epoch FROM flush_lag) * 1000)::float8 AS lag
         FROM pg_stat_replication WHERE application_name = $1`,
        [name],
      );
      return rows[0]?.lag ?? 0;
    });
  }

  /** Answers a moment before the drop and after every order that was confirmed. */
  async dropOrders(): Promise<number> {
    return await withClient(this.port, this.#setting.work.signal, dropOrders);
  }

  async stopServer(): Promise<void> {
    await this.#server.stop();
  }

  /** The server's process is gone, and so is what it had written. */
  async losePower(name: ServerName): Promise<void> {
    await this.#server.kill();
    await this.#setting.servers.clear('servers', name);
  }

  /** Resolves when a server can be started on it, which is as of the moment that is wanted. */
  async bringBack({ to, name, access, onPlan }: WantedMoment): Promise<void> {
    const { planPostgresRestore, servers, clock, work } = this.#setting;
    const target = join(servers.place('servers'), name);
    const request = { target, to, action: 'promote', start: true } as const;
    for (;;) {
      try {
        await using planned = await planPostgresRestore(access, request, work);
        onPlan?.(planned.plan);
        await planned.execute(work);
        return;
      } catch (error) {
        // The journal brings that moment into the repository within its RPO, and a copy to the next one.
        if (!isFailure(error, 'point.unreachable')) throw error;
        await clock.sleep(LOOK_EVERY, work.signal);
      }
    }
  }

  /** Starts a restored server where the tills look for one, waits for their next order, and counts what came back. */
  async reopen(name: ServerName, struckAt: number): Promise<Recovery> {
    const { clock, work } = this.#setting;
    // What is confirmed from here on, the restored server has confirmed itself.
    const confirmed = new Set(this.tills.confirmed);
    this.#server = await DemoServer.start(serverOptions(this.#setting, name, this.port));
    await this.tills.untilConfirmed(1, work.signal);
    const closed = clock.now() - struckAt;
    const books = await this.#readBooks(this.port);
    // The tills go on: what they have tried is asked for last.
    const { refused, last } = this.tills;
    const audit = auditBooks(books, { confirmed, refused, last });
    return { struckAt, closed, audit };
  }

  /** The tills stop. Answers a moment after the last order; the log goes on behind it, so that it can be restored. */
  async close(): Promise<number> {
    await this.tills[Symbol.asyncDispose]();
    return await withClient(this.port, this.#setting.work.signal, async (client) => {
      const moment = await momentOf(client);
      await client.query('CREATE TABLE closed_at AS SELECT clock_timestamp() AS time');
      return moment;
    });
  }

  /** Starts a restored server beside the shop's, and compares it with the first so many orders that were confirmed. */
  async countBeside(name: ServerName, orders: number): Promise<Audit> {
    await using port = await openPort(this.#setting.installation.account);
    await using _server = await DemoServer.start(serverOptions(this.#setting, name, port));
    const { confirmed: all, refused, last } = this.tills;
    // A set keeps the order in which its members came.
    const confirmed = new Set([...all].slice(0, orders));
    return auditBooks(await this.#readBooks(port), { confirmed, refused, last });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tills[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
    await this.port[Symbol.asyncDispose]();
  }

  #readBooks(port: Port): Promise<Books> {
    return withClient(port, this.#setting.work.signal, readBooks);
  }
}

/** The drop waits for the orders that are being taken, and holds up all others until it is committed. */
async function dropOrders(client: Client): Promise<number> {
  await client.query('BEGIN');
  await client.query('DROP TABLE orders CASCADE');
  const moment = await momentOf(client);
  await client.query('COMMIT');
  return moment;
}

/** Milliseconds since the epoch. A moment is given in them: what was before must be in an earlier one. */
async function momentOf(client: Client): Promise<number> {
  await client.query('SELECT pg_sleep(0.002)');
  const { rows } = await client.query<{ now: number }>(
    'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now',
  );
  return rows[0]?.now ?? 0;
}

function serverOptions({ installation, servers, clock, work }: ShopSetting, name: ServerName, port: Port) {
  const dataDirectory = join(servers.place('servers'), name);
  return { installation, port, clock, signal: work.signal, dataDirectory } satisfies ServerOptions;
}

/** Milliseconds. */
const LOOK_EVERY = 50;
