import type { Client } from 'pg';
import { qualified, type RelationName } from './relation-name.ts';
import type { IncomingKey, SequenceFacts, TableFacts } from './table-facts.ts';
import * as queries from './table-queries.ts';

/**
 * Everything the catalog has of these tables, in the order of the oids. The session's search path must be empty, so that
 * every name in a definition is qualified.
 */
export async function readTables(client: Client, oids: readonly number[]): Promise<TableFacts[]> {
  if (oids.length === 0) return [];
  const listed = async (query: string) => {
    const { rows } = await client.query<{ of: number }>(query, [oids]);
    return Map.groupBy(rows, (row) => row.of);
  };
  const { rows: tables } = await client.query<{ of: number; oid: number }>(queries.TABLES, [oids]);
  const columns = await listed(queries.COLUMNS);
  const constraints = await listed(queries.CONSTRAINTS);
  const indexes = await listed(queries.INDEXES);
  const sequences = await listed(queries.SEQUENCES);
  const triggers = await listed(queries.TRIGGERS);
  const rules = await listed(queries.RULES);
  const statistics = await listed(queries.STATISTICS);
  const policies = await listed(queries.POLICIES);
  const grants = await listed(queries.GRANTS);
  const views = await listed(queries.VIEWS);
  const publications = await listed(queries.PUBLICATIONS);
  const facts: TableFacts[] = [];
  for (const { of, ...table } of tables) {
    const found = (sequences.get(of) ?? []) as unknown as SequenceFacts[];
    facts.push({
      ...table,
      columns: columns.get(of) ?? [],
      constraints: constraints.get(of) ?? [],
      indexes: indexes.get(of) ?? [],
      sequences: await withValues(client, found),
      triggers: triggers.get(of) ?? [],
      rules: rules.get(of) ?? [],
      statistics: statistics.get(of) ?? [],
      policies: policies.get(of) ?? [],
      grants: grants.get(of) ?? [],
      views: views.get(of) ?? [],
      publications: ((publications.get(of) ?? []) as unknown as { name: string }[]).map(({ name }) => name),
    } as unknown as TableFacts);
  }
  return facts;
}

export async function readIncomingKeys(client: Client, oids: readonly number[]): Promise<IncomingKey[]> {
  if (oids.length === 0) return [];
  return (await client.query<IncomingKey>(queries.INCOMING_KEYS, [oids])).rows;
}

/** Rows of the table itself; of a partitioned one, of all its partitions. */
export async function countRows(
  client: Client,
  table: RelationName & { partitioned: boolean },
): Promise<number> {
  const only = table.partitioned ? '' : 'ONLY ';
  const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ${only}${qualified(table)}`);
  return Number(rows[0]?.count);
}

/** A sequence's value is no fact of the catalog: it is a row of its own. */
async function withValues(client: Client, sequences: readonly SequenceFacts[]): Promise<SequenceFacts[]> {
  const valued: SequenceFacts[] = [];
  for (const sequence of sequences) {
    const { rows } = await client.query<{ next: string }>(
      `SELECT (last_value + CASE WHEN is_called THEN $1::numeric ELSE 0 END)::text AS next FROM ${qualified(sequence)}`,
      [sequence.increment],
    );
    valued.push({ ...sequence, next: rows[0]?.next ?? sequence.start });
  }
  return valued;
}
