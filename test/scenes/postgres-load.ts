import { Client } from 'pg';

/**
 * Transactions like pgbench's: money is moved and each movement is written down, so that at every moment
 * sum(accounts) = sum(tellers) = sum(history), and a copy that is not of one moment is found out.
 */
export const LOAD_SCHEMA = `
  CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL, filler char(84) DEFAULT '');
  CREATE TABLE tellers (id int PRIMARY KEY, balance bigint NOT NULL);
  CREATE TABLE history (id bigserial PRIMARY KEY, account int, teller int, delta int, at timestamptz DEFAULT now());
  INSERT INTO accounts SELECT n, 0 FROM generate_series(1, 20000) n;
  INSERT INTO tellers SELECT n, 0 FROM generate_series(1, 100) n;
`;

export const LOAD_SUMS = `
  SELECT (SELECT sum(balance) FROM accounts)::text AS accounts, (SELECT sum(balance) FROM tellers)::text AS tellers,
         (SELECT coalesce(sum(delta), 0) FROM history)::text AS history, (SELECT count(*) FROM history)::int AS count
`;

export interface LoadSums {
  readonly accounts: string;
  readonly tellers: string;
  readonly history: string;
  readonly count: number;
}

export interface WriteLoad {
  /** Transactions that the server has acknowledged so far. */
  acknowledged(): number;
  stop(): Promise<void>;
}

const MOVE = `
  WITH a AS (UPDATE accounts SET balance = balance + $3 WHERE id = $1),
       t AS (UPDATE tellers SET balance = balance + $3 WHERE id = $2)
  INSERT INTO history (account, teller, delta) VALUES ($1, $2, $3)
`;

/** Writes with several connections until it is stopped; resolves when the first transaction is in. */
export async function startLoad(url: string, connections = 4): Promise<WriteLoad> {
  let acknowledged = 0;
  let running = true;
  const begun = Promise.withResolvers<void>();
  const writer = async () => {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      while (running) {
        await client.query(MOVE, [1 + random(20_000), 1 + random(100), random(10_000) - 5000]);
        acknowledged += 1;
        begun.resolve();
      }
    } finally {
      await client.end();
    }
  };
  const writers = Array.from({ length: connections }, writer);
  await Promise.race([begun.promise, Promise.all(writers)]);
  return {
    acknowledged: () => acknowledged,
    stop: async () => {
      running = false;
      await Promise.all(writers);
    },
  };
}

function random(below: number): number {
  return Math.floor(Math.random() * below);
}
