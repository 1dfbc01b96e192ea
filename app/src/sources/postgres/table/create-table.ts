import { identifier, literal } from '../connection/replication-session.ts';
import type { Placement } from './placement.ts';
import { qualified, type RelationName, relationText } from './relation-name.ts';
import type { Statement } from './statement.ts';
import type { ColumnFacts, SequenceFacts, TableFacts } from './table-facts.ts';

export interface CreateContext {
  readonly placement: Placement;
  /** Of the server that the table is made on. */
  readonly major: number;
  /** The parents that are there or come too, where they are then. */
  readonly parents: readonly RelationName[];
}

/** What makes a table again as far as its rows need it: keys, indexes and rights come when the rows are in. */
export function createTable(table: TableFacts, context: CreateContext): Statement[] {
  const { placement, parents } = context;
  const target = placement.ofTable(table);
  const name = qualified(target);
  const what = `table ${relationText(target)}`;
  const attached = table.partitionBound !== null && parents.length > 0;
  const inherits = !attached && parents.length > 0;
  const own = table.columns.filter((column) => column.local || !inherits);
  const clauses = [
    ...own.map((column) => columnClause(column, table, context, attached)),
    ...table.constraints
      .filter((one) => one.kind === 'c' && one.validated && (one.local || !inherits))
      .map((one) => `CONSTRAINT ${identifier(one.name)} ${one.definition}`),
  ];
  const create = [
    `CREATE ${table.unlogged ? 'UNLOGGED ' : ''}TABLE ${name} (${clauses.length === 0 ? '' : `\n  ${clauses.join(',\n  ')}\n`})`,
    ...(inherits ? [`INHERITS (${parents.map(qualified).join(', ')})`] : []),
    ...(table.partitionKey === null ? [] : [`PARTITION BY ${table.partitionKey}`]),
    ...(table.accessMethod === null ? [] : [`USING ${identifier(table.accessMethod)}`]),
    ...(table.options.length === 0 ? [] : [`WITH (${table.options.map(optionText).join(', ')})`]),
  ].join('\n');
  const statements: Statement[] = [{ what, sql: create }];
  const alter = (column: string, change: string) =>
    statements.push({
      what: `column ${column} of ${what}`,
      sql: `ALTER TABLE ONLY ${name} ALTER COLUMN ${identifier(column)} ${change}`,
      soft: true,
    });
  if (inherits) {
    for (const { name: column, local, default: expression } of table.columns) {
      if (!local && expression !== null)
        alter(column, `SET DEFAULT ${placement.expression(table, expression)}`);
    }
  }
  for (const column of table.columns) {
    // Before the rows come: what is written later would not change those that are there.
    if (column.storage !== null) alter(column.name, `SET STORAGE ${column.storage}`);
    if (column.compression !== null && context.major >= 14)
      alter(column.name, `SET COMPRESSION ${column.compression}`);
  }
  if (table.tablespace !== null) {
    statements.push({
      what: `tablespace ${table.tablespace} of ${what}`,
      sql: `ALTER TABLE ${name} SET TABLESPACE ${identifier(table.tablespace)}`,
      soft: true,
    });
  }
  const [parent] = parents;
  if (attached && parent !== undefined) {
    statements.push({
      what: `partition ${relationText(target)} of ${relationText(parent)}`,
      sql: `ALTER TABLE ONLY ${qualified(parent)} ATTACH PARTITION ${name} ${table.partitionBound}`,
    });
  }
  for (const sequence of table.sequences.filter(({ owned, identity }) => owned && !identity)) {
    statements.push({
      what: `sequence ${relationText(sequence)}`,
      sql: `ALTER SEQUENCE ${qualified(placement.ofSequence(sequence))} OWNED BY ${name}.${identifier(sequence.column)}`,
    });
  }
  return statements;
}

/** The sequences that the columns own, and those that their defaults ask and that are not there; each one once. */
export function createSequences(tables: readonly TableFacts[], placement: Placement): Statement[] {
  const all = tables.flatMap(({ sequences }) => sequences).filter(({ identity }) => !identity);
  const needed = all.filter((one) => one.owned || !placement.isTaken(one));
  const byName = new Map(needed.map((one) => [qualified(placement.ofSequence(one)), one]));
  return [...byName].map(([name, sequence]) => ({
    what: `sequence ${relationText(sequence)}`,
    sql: `CREATE SEQUENCE ${name} AS ${sequence.type} ${sequenceOptions(sequence)}`,
  }));
}

/** Sets what a sequence that was made again gives next. */
export function setSequence(sequence: SequenceFacts, placement: Placement): Statement {
  const { next, minimum, maximum, increment } = sequence;
  // One that has reached its end has nothing to give: its last value was given out.
  const end = BigInt(increment) > 0n ? BigInt(maximum) : BigInt(minimum);
  const ended = BigInt(increment) > 0n ? BigInt(next) > end : BigInt(next) < end;
  const name = literal(qualified(placement.ofSequence(sequence)));
  return {
    what: `value of sequence ${relationText(sequence)}`,
    sql: `SELECT pg_catalog.setval(${name}::regclass, ${ended ? end : next}, ${ended})`,
  };
}

function sequenceOptions(sequence: SequenceFacts): string {
  const { start, increment, minimum, maximum, cache, cycle } = sequence;
  return (
    `START WITH ${start} INCREMENT BY ${increment} MINVALUE ${minimum} MAXVALUE ${maximum} CACHE ${cache}` +
    (cycle ? ' CYCLE' : ' NO CYCLE')
  );
}

function columnClause(
  column: ColumnFacts,
  table: TableFacts,
  { placement, major }: CreateContext,
  attached: boolean,
): string {
  const parts = [identifier(column.name), column.type];
  if (column.collation !== null) parts.push(`COLLATE ${column.collation}`);
  const sequence = table.sequences.find(({ identity, column: of }) => identity && of === column.name);
  if (column.generated !== null) {
    parts.push(
      `GENERATED ALWAYS AS (${column.generated.expression}) ${column.generated.stored ? 'STORED' : 'VIRTUAL'}`,
    );
  } else if (column.identity !== null && sequence !== undefined && !attached) {
    const name = qualified(placement.ofSequence(sequence));
    const kind = column.identity === 'always' ? 'ALWAYS' : 'BY DEFAULT';
    parts.push(`GENERATED ${kind} AS IDENTITY (SEQUENCE NAME ${name} ${sequenceOptions(sequence)})`);
  } else if (column.default !== null) {
    parts.push(`DEFAULT ${placement.expression(table, column.default)}`);
  }
  // From 18 on a NOT NULL has a name of its own, and may spare the children.
  const constraint = table.constraints.find(
    ({ kind, columns }) => kind === 'n' && columns[0] === column.name,
  );
  if (constraint !== undefined && major >= 18) {
    if (constraint.validated) {
      parts.push(
        `CONSTRAINT ${identifier(constraint.name)} NOT NULL${constraint.noInherit ? ' NO INHERIT' : ''}`,
      );
    }
  } else if (column.notNull && constraint?.validated !== false) parts.push('NOT NULL');
  return parts.join(' ');
}

/** The catalog keeps `name=value` without quotes. */
export function optionText(option: string): string {
  const at = option.indexOf('=');
  return at < 0 ? option : `${option.slice(0, at)}=${literal(option.slice(at + 1))}`;
}
