import type { Lsn } from '../wal/lsn.ts';
import type { SqlSession } from './sql-session.ts';

/** A transaction that sees the server as of a position of its log. Whoever has it closes the session. */
export interface ContentView {
  readonly sql: SqlSession;
  readonly lsn: Lsn;
  readonly method: 'slot' | 'log';
  /** Of a view found in the log: transactions that had begun and were not visible. */
  readonly inProgress?: readonly bigint[];
}
