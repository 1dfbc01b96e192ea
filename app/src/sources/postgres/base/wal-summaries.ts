import { isFailure } from '@holdfast/engine';
import type { Client } from 'pg';
import { logIn } from '../connection/login.ts';
import { type ServerAddress, serverName } from '../connection/server-address.ts';
import { failureFrom } from '../connection/server-error.ts';
import { formatLsn, type Lsn, parseLsn } from '../wal/lsn.ts';
import type { TimelineSwitch } from '../wal/timeline-history.ts';
import type { LogPosition } from './base-stream.ts';
import { NotResolvable, type WholeBecause } from './earlier-base.ts';
import type { RelationFile } from './relation-file.ts';

/** A stretch of one timeline. */
export interface LogRange {
  readonly timeline: number;
  readonly from: Lsn;
  /** The first position that is not part of it. */
  readonly to: Lsn;
}

/** The stretches between two positions, over all timelines in between, oldest first. */
export function rangesBetween(
  from: LogPosition,
  to: LogPosition,
  history: readonly TimelineSwitch[],
): LogRange[] {
  const ranges: LogRange[] = [];
  let start = from.lsn;
  for (const { timeline, end } of history) {
    if (timeline < from.timeline) continue;
    ranges.push({ timeline, from: start, to: end });
    start = end;
  }
  return [...ranges, { timeline: to.timeline, from: start, to: to.lsn }];
}

/** Whether stretches in any order leave nothing out of a range. */
export function covers(
  range: LogRange,
  stretches: readonly { readonly from: Lsn; readonly to: Lsn }[],
): boolean {
  let reached = range.from;
  for (const { from, to } of stretches.toSorted((a, b) => (a.from < b.from ? -1 : 1))) {
    if (from > reached) break;
    if (to > reached) reached = to;
  }
  return reached >= range.to;
}

/** How many pages the relations that were made shorter had at least, of their main fork. */
export class Truncations {
  readonly #pages = new Map<string, number>();

  add(tablespace: number, database: number, relation: number, pages: number): void {
    const key = `${tablespace}/${database}/${relation}`;
    this.#pages.set(key, Math.min(pages, this.#pages.get(key) ?? Number.POSITIVE_INFINITY));
  }

  /** Of a relation file; infinite when its relation was never made shorter. */
  fewestPages({ tablespace, database, relation, fork }: RelationFile): number {
    const pages = fork === 'main' ? this.#pages.get(`${tablespace}/${database}/${relation}`) : undefined;
    return pages ?? Number.POSITIVE_INFINITY;
  }
}

/**
 * What a server's WAL summaries say beside what it sends of its own accord. Anybody who may log in to some database may
 * ask; one that only replicates cannot.
 */
export class WalSummaries {
  readonly #address: ServerAddress;
  readonly #signal: AbortSignal;

  constructor(address: ServerAddress, signal: AbortSignal) {
    this.#address = address;
    this.#signal = signal;
  }

  /** Why they cannot be had; undefined when they can. */
  async refusal(): Promise<WholeBecause | undefined> {
    try {
      await this.#ask((client) => client.query('SELECT FROM pg_available_wal_summaries() LIMIT 1'));
      return undefined;
    } catch (error) {
      if (!isFailure(error)) throw error;
      return {
        message: `what was cut off tables cannot be asked for by SQL: ${error.message}`,
        hint: 'Let the role log in to its database too (pg_hba.conf); it needs no grants there.',
      };
    }
  }

  /** Which relations were made shorter in these ranges. `NotResolvable` when there are not summaries of all of it. */
  async truncations(ranges: readonly LogRange[]): Promise<Truncations> {
    return await this.#ask(async (client) => {
      const truncations = new Truncations();
      for (const range of ranges) await addTruncations(client, range, truncations);
      return truncations;
    });
  }

  async #ask<Answer>(question: (client: Client) => Promise<Answer>): Promise<Answer> {
    const { client } = await logIn(this.#address, 'sql', this.#signal);
    try {
      return await question(client);
    } catch (error) {
      if (error instanceof NotResolvable) throw error;
      throw failureFrom(error, serverName(this.#address));
    } finally {
      await client.end();
    }
  }
}

const OVERLAPPING = 'pg_available_wal_summaries() s WHERE s.tli = $1 AND s.end_lsn > $2 AND s.start_lsn < $3';

const AVAILABLE = `SELECT s.start_lsn::text AS from, s.end_lsn::text AS to FROM ${OVERLAPPING}`;

const LIMITS = `
  SELECT reltablespace::int8::text AS tablespace, reldatabase::int8::text AS database,
         relfilenode::int8::text AS relation, min(relblocknumber)::text AS pages
  FROM (SELECT * FROM ${OVERLAPPING}) s, pg_wal_summary_contents(s.tli, s.start_lsn, s.end_lsn)
  WHERE is_limit_block AND relforknumber = 0
  GROUP BY 1, 2, 3
`;

async function addTruncations(client: Client, range: LogRange, truncations: Truncations): Promise<void> {
  const values = [range.timeline, formatLsn(range.from), formatLsn(range.to)];
  const available = await client.query<{ from: string; to: string }>(AVAILABLE, values);
  const stretches = available.rows.map(({ from, to }) => ({ from: parseLsn(from), to: parseLsn(to) }));
  if (!covers(range, stretches)) {
    throw new NotResolvable({
      message: 'the server has not kept the WAL summaries since the earlier base',
      hint: 'wal_summary_keep_time is to be longer than the time between bases.',
    });
  }
  const limits = await client.query<Record<'tablespace' | 'database' | 'relation' | 'pages', string>>(
    LIMITS,
    values,
  );
  for (const { tablespace, database, relation, pages } of limits.rows) {
    truncations.add(Number(tablespace), Number(database), Number(relation), Number(pages));
  }
}
