import type { Clock } from '@holdfast/engine';
import type { Client } from 'pg';
import { logIn } from '../../sources/postgres/connection/login.ts';
import type { Port } from './server.ts';
import type { Stock } from './shop.ts';

/**
 * The application: tills that take orders without pause, each on a connection of its own, whatever happens to the server.
 * The number of every order that the server has confirmed is remembered, so that a loss can be counted exactly.
 */
export class Tills implements AsyncDisposable {
  readonly #port: Port;
  readonly #stock: Stock;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  readonly #running: Promise<unknown>;
  readonly #confirmed: Set<number>;
  readonly #refused = new Set<number>();
  #last: number;

  constructor(port: Port, stock: Stock, clock: Clock) {
    this.#port = port;
    this.#stock = stock;
    this.#clock = clock;
    this.#last = stock.orders;
    this.#confirmed = new Set(Array.from({ length: stock.orders }, (_, index) => index + 1));
    this.#running = Promise.all(Array.from({ length: TILLS }, () => this.#serve()));
  }

  /** The numbers of all orders that were confirmed, those the shop began with among them. */
  get confirmed(): ReadonlySet<number> {
    return this.#confirmed;
  }

  /** How many orders were confirmed, without those the shop began with. */
  get taken(): number {
    return this.#confirmed.size - this.#stock.orders;
  }

  /** Orders that failed before their commit was sent: they must not be there. A commit that got no answer may be. */
  get refused(): ReadonlySet<number> {
    return this.#refused;
  }

  /** The highest number that was ever tried. */
  get last(): number {
    return this.#last;
  }

  /** Resolves when so many further orders are confirmed. */
  async untilConfirmed(count: number, signal: AbortSignal): Promise<void> {
    const enough = this.#confirmed.size + count;
    while (this.#confirmed.size < enough) await this.#clock.sleep(LOOK_EVERY, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #serve(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const client = await logIn(this.#port.address, 'sql', signal).then(
        (found) => found.client,
        () => undefined,
      );
      if (client !== undefined) await this.#serveOn(client);
      await this.#pause(AFTER_FAILURE);
    }
  }

  /** Until the connection fails, or there is no table to write to: the next one may be better. */
  async #serveOn(client: Client): Promise<void> {
    const { signal } = this.#closing;
    // A connection that breaks between two queries fails the next one.
    client.on('error', () => undefined);
    const stop = () => void client.end().catch(() => undefined);
    signal.addEventListener('abort', stop, { once: true });
    try {
      while (!signal.aborted && (await this.#takeOrder(client))) await this.#pause(BETWEEN_ORDERS);
    } finally {
      signal.removeEventListener('abort', stop);
      await client.end().catch(() => undefined);
    }
  }

  /** Answers whether it was confirmed. */
  async #takeOrder(client: Client): Promise<boolean> {
    this.#last += 1;
    const number = this.#last;
    try {
      await this.#write(client, number);
    } catch {
      this.#refused.add(number);
      return false;
    }
    try {
      await client.query('COMMIT');
    } catch {
      return false;
    }
    this.#confirmed.add(number);
    return true;
  }

  async #write(client: Client, number: number): Promise<void> {
    const products = Array.from(
      { length: 1 + (number % 5) },
      (_, line) => 1 + ((number * 31 + line * 389) % this.#stock.products),
    );
    const pieces = products.map((product) => 1 + ((number + product) % 4));
    await client.query('BEGIN');
    // In the order of their numbers, or two tills would wait for each other.
    const { rows } = await client.query<{ id: number; price: number }>(
      'SELECT id, price FROM products WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE',
      [products],
    );
    const prices = new Map(rows.map(({ id, price }) => [id, price]));
    const total = products.reduce((sum, id, line) => sum + (prices.get(id) ?? 0) * (pieces[line] ?? 0), 0);
    const customer = 1 + ((number * 7919) % this.#stock.customers);
    await client.query('INSERT INTO orders (number, customer, total) VALUES ($1, $2, $3)', [
      number,
      customer,
      total,
    ]);
    await client.query(
      `WITH line AS (
         INSERT INTO order_lines (order_number, product, pieces, price)
         SELECT $1, id, wanted.pieces, price FROM unnest($2::int[], $3::int[]) AS wanted (product, pieces)
         JOIN products ON id = wanted.product
         RETURNING product, pieces
       )
       UPDATE products SET stock = stock - pieces, sold = sold + pieces FROM line WHERE id = product`,
      [number, products, pieces],
    );
  }

  async #pause(milliseconds: number): Promise<void> {
    await this.#clock.sleep(milliseconds, this.#closing.signal).catch(() => undefined);
  }
}

export const TILLS = 4;
/** Milliseconds. Customers take a moment; it is the disaster that is to be seen, not the machine's limit. */
const BETWEEN_ORDERS = 8;
const AFTER_FAILURE = 25;
const LOOK_EVERY = 5;
