import { type Client, type QueryConfig, type QueryResult, types } from 'pg';
import { stateFailure } from './state-failure.ts';

/** What stores are written with: one connection, or any of several, in a transaction or not. */
export interface Session {
  /** 64-bit integers come as numbers: ours are times, sizes and counts. */
  query<Row extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<Row[]>;
  /** As the driver has it: several statements at once give several results. */
  execute(text: string, values?: readonly unknown[]): Promise<QueryResult>;
}

/** For what must happen wholly or not at all, in several statements. */
export interface Transaction extends Session {
  readonly transaction: 'begun';
}

export interface Database extends Session {
  /** Commits when `work` resolves. The connection is its own; nothing of it is tried again. */
  transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result>;
}

/** A session on one connection. Errors come as failures `state.…`. */
export function sessionOn(client: Client): Session {
  const ask = async (config: QueryConfig): Promise<QueryResult> => {
    try {
      return await client.query(config);
    } catch (error) {
      throw stateFailure(error);
    }
  };
  return {
    execute: (text, values = []) => ask({ text, values: [...values] }),
    query: async <Row>(text: string, values: readonly unknown[] = []) =>
      (await ask({ text, values: [...values], types: { getTypeParser } })).rows as Row[],
  };
}

/** The driver keeps 64-bit integers as texts, since not all of them are numbers in JavaScript. */
function getTypeParser(oid: number, format?: 'text' | 'binary') {
  return oid === INT8 ? Number : types.getTypeParser(oid, format as 'text');
}

const INT8 = 20;
