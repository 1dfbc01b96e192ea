import type { Client } from 'pg';

/** What the shop begins with. */
export interface Stock {
  readonly customers: number;
  readonly products: number;
  readonly orders: number;
  readonly lines: number;
}

const CUSTOMERS = 20_000;
const PRODUCTS = 2000;
const ORDERS = 30_000;
/** Of each product, in stock and sold together: never more, never less. */
export const PIECES = 1_000_000;

/**
 * Two truths can be checked at any moment, since each order is one transaction over three tables: the total of an order is
 * the sum of its lines, and of each product the pieces in stock and those sold are as many as ever.
 */
const SCHEMA = `
  CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, city text NOT NULL);
  CREATE TABLE products (id int PRIMARY KEY, name text NOT NULL, price int NOT NULL, stock int NOT NULL, sold int NOT NULL);
  CREATE TABLE orders (
    number int PRIMARY KEY,
    customer int NOT NULL REFERENCES customers,
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    total int NOT NULL
  );
  CREATE TABLE order_lines (
    order_number int NOT NULL REFERENCES orders,
    product int NOT NULL REFERENCES products,
    pieces int NOT NULL,
    price int NOT NULL,
    PRIMARY KEY (order_number, product)
  );`;

const CONTENT = `
  INSERT INTO customers
    SELECT id, 'Customer ' || md5(id::text), (ARRAY['Hà Nội', 'Huế', 'Đà Nẵng', 'Cần Thơ', 'Sài Gòn'])[1 + id % 5]
    FROM generate_series(1, ${CUSTOMERS}) AS id;
  INSERT INTO products
    SELECT id, 'Product ' || md5(id::text), 100 + (id * 37) % 9900, ${PIECES}, 0 FROM generate_series(1, ${PRODUCTS}) AS id;
  INSERT INTO orders (number, customer, total)
    SELECT number, 1 + (number * 7919) % ${CUSTOMERS}, 0 FROM generate_series(1, ${ORDERS}) AS number;
  INSERT INTO order_lines
    SELECT number, id, 1 + (number + id) % 4, price
    FROM orders, generate_series(0, number % 6) AS line, products
    WHERE id = 1 + (number * 31 + line * 389) % ${PRODUCTS};
  UPDATE orders SET total = sum FROM (SELECT order_number, sum(pieces * price) FROM order_lines GROUP BY 1) AS lines
    WHERE order_number = number;
  UPDATE products SET stock = stock - sum, sold = sum
    FROM (SELECT product, sum(pieces) FROM order_lines GROUP BY 1) AS lines WHERE product = id;
  ANALYZE;`;

/** Makes the shop's tables and fills them. */
export async function fillShop(client: Client): Promise<Stock> {
  await client.query(SCHEMA);
  await client.query(CONTENT);
  const { rows } = await client.query<{ lines: number }>('SELECT count(*)::int AS lines FROM order_lines');
  return { customers: CUSTOMERS, products: PRODUCTS, orders: ORDERS, lines: rows[0]?.lines ?? 0 };
}
