import type { Client } from 'pg';
import { formatCounted } from '../../cli/format.ts';
import { PIECES } from './shop.ts';

/** What a server has of the shop, all as of one moment. */
export interface Books {
  /** When each was taken, milliseconds since the epoch, by number. */
  readonly orders: ReadonlyMap<number, number>;
  /** What does not add up, a sentence each: none, or transactions were torn apart. */
  readonly faults: readonly string[];
}

/** Of each kind of fault how often it occurs, and what it is when it does. */
const RULES: readonly [sql: string, what: string][] = [
  [
    `SELECT count(*)::int AS broken FROM orders
     FULL JOIN (SELECT order_number, sum(pieces * price) FROM order_lines GROUP BY 1) AS lines ON order_number = number
     WHERE total IS DISTINCT FROM sum`,
    'whose total is not the sum of its lines',
  ],
  [
    `SELECT count(*)::int AS broken FROM products
     LEFT JOIN (SELECT product, sum(pieces) FROM order_lines GROUP BY 1) AS lines ON product = id
     WHERE stock + sold <> ${PIECES} OR sold <> coalesce(sum, 0)`,
    'whose pieces in stock and sold are not what they were',
  ],
];

export async function readBooks(client: Client): Promise<Books> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const { rows } = await client.query<{ number: number; taken: number }>(
    'SELECT number, (extract(epoch FROM taken_at) * 1000)::float8 AS taken FROM orders',
  );
  const faults: string[] = [];
  for (const [sql, what] of RULES) {
    const { rows: found } = await client.query<{ broken: number }>(sql);
    const broken = found[0]?.broken ?? 0;
    if (broken > 0) faults.push(`${formatCounted(broken, 'row')} ${what}`);
  }
  await client.query('COMMIT');
  return { orders: new Map(rows.map(({ number, taken }) => [number, taken])), faults };
}

/** What the tills know. */
export interface Receipts {
  /** These must be there. */
  readonly confirmed: ReadonlySet<number>;
  /** These must not. */
  readonly refused: ReadonlySet<number>;
  /** No order has a higher number than this. */
  readonly last: number;
}

export interface Audit {
  /** Of the orders that were confirmed. */
  readonly found: number;
  readonly expected: number;
  /** When the last of those that were found was taken, milliseconds since the epoch. */
  readonly newest: number;
  /** A line for each thing that is not as it must be. */
  readonly differences: readonly string[];
}

/** Pure: compares what came back with what the tills have confirmed, number by number. */
export function auditBooks({ orders, faults }: Books, { confirmed, refused, last }: Receipts): Audit {
  const found = [...confirmed].filter((number) => orders.has(number));
  const lost = [...confirmed].filter((number) => !orders.has(number));
  const invented = [...orders.keys()].filter((number) => refused.has(number) || number > last);
  return {
    found: found.length,
    expected: confirmed.size,
    newest: found.reduce((latest, number) => Math.max(latest, orders.get(number) ?? 0), 0),
    differences: [
      ...lost.map((number) => `order ${number} was confirmed and is not there`),
      ...invented.map((number) => `order ${number} is there and was never taken`),
      ...faults,
    ],
  };
}
