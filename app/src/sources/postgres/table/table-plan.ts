import { Failure, type Finding } from '@holdfast/engine';
import { identifier } from '../connection/replication-session.ts';
import { matchColumns, rowKey } from './column-match.ts';
import { belongings, completeTable, incomingKey, outgoingKeys } from './complete-table.ts';
import { createSequences, createTable, setSequence } from './create-table.ts';
import { Placement, type PlacementRequest } from './placement.ts';
import { existingFindings, newFindings } from './plan-findings.ts';
import { planTypes } from './plan-types.ts';
import { missingPrivileges } from './privileges.ts';
import { qualified, type RelationName, relationText } from './relation-name.ts';
import { replaceRows } from './replace-rows.ts';
import type { Selection, TableThen } from './selection.ts';
import type { Statement } from './statement.ts';
import type { ExistingTable, TargetState } from './target-state.ts';

export interface Intent extends PlacementRequest {
  /** Empty the tables of today and fill them with the rows of then. */
  readonly replace: boolean;
  /** Insert the rows of then whose key is not there; change nothing else. */
  readonly onlyMissing: boolean;
}

/** What happens to one table; a partitioned one with all its partitions. */
export interface TableStep {
  readonly from: RelationName;
  readonly to: RelationName;
  readonly action: 'create' | 'replace' | 'add';
  /** Rows of then, and bytes that they took on disk. */
  readonly rows: number;
  readonly bytes: number;
  /** Rows there now, and which table that is; absent for one that is made. */
  readonly rowsNow?: number;
  readonly oidNow?: number;
  readonly copies: readonly CopyStep[];
  readonly partitioned: boolean;
  /** Of `add`. */
  readonly key?: readonly string[];
}

export interface CopyStep {
  readonly from: RelationName;
  readonly to: RelationName;
  readonly columns: readonly string[];
  readonly format: 'binary' | 'text';
  readonly encoding: string;
  readonly rows: number;
}

export interface TablesPlan {
  readonly steps: readonly TableStep[];
  readonly before: readonly Statement[];
  readonly after: readonly Statement[];
  /** What will not come, as far as it is known before. */
  readonly findings: readonly Finding[];
}

/**
 * Pure: decides what is done to each table, in which order, and what of it cannot be. Throws what is in the way:
 * `target.exists`, `target.mismatch`, `target.privilege`.
 */
export function planTables(selection: Selection, state: TargetState, intent: Intent): TablesPlan {
  if (intent.as !== undefined && roots(selection).length > 1) {
    throw new Failure('usage', '--as gives one table another name, and there are several', {
      hint: 'Use --into SCHEMA: then they keep their names.',
    });
  }
  const placement = new Placement(intent, selection.tables, state.names);
  const all = roots(selection).map((table) => unitOf(table, selection, placement, state));
  refuseExisting(all, state, intent);
  if (intent.replace) refuseEmptying(all);
  const made = all.filter(({ existing }) => existing === undefined);
  const filled = inOrder(all.filter(({ existing }) => existing !== undefined));
  const privileges = missingPrivileges(made, filled, state, intent);
  if (privileges !== undefined) throw privileges;
  const types = planTypes(made.length === 0 ? [] : selection.types, state);
  const tables = made.flatMap(({ tables }) => tables);
  const schemas = new Set(tables.map((table) => placement.ofTable(table).schema));
  const context = (table: TableThen) => ({
    placement,
    major: state.major,
    parents: parentsOf(table, placement, state),
  });
  const matches = new Map(filled.map((unit) => [unit, matchOf(unit)]));
  const old = replaceRows(filled, state, intent);
  // Keys need the keys of what they point to, so they come when all tables are complete; belongings last, see there.
  const fresh = tables.map((table) => withKnownCollations(table, state));
  const leavesFirst = fresh.toReversed();
  return {
    steps: [
      ...made.map((unit) => madeStep(unit, selection, state, placement)),
      ...filled.map((unit) => filledStep(unit, selection, state, intent, matches.get(unit) ?? matchOf(unit))),
    ],
    before: [
      ...[...schemas]
        .filter((schema) => !state.schemas.has(schema))
        .map((schema) => ({ what: `schema ${schema}`, sql: `CREATE SCHEMA ${identifier(schema)}` })),
      ...types.statements,
      ...createSequences(fresh, placement),
      ...fresh.flatMap((table) => createTable(table, context(table))),
      ...old.before,
    ],
    after: [
      ...old.after,
      ...leavesFirst.flatMap((table) => completeTable(table, placement)),
      ...fresh.flatMap(({ sequences }) =>
        sequences.filter(({ owned }) => owned).map((one) => setSequence(one, placement)),
      ),
      ...fresh.flatMap((table) => outgoingKeys(table, placement)),
      ...(placement.beside ? [] : comingKeys(selection, state, fresh)),
      // Without statistics the first queries would be planned blindly. Nobody but the owner may do it.
      ...[...fresh.map((table) => placement.ofTable(table)), ...filled.map(({ to }) => to)].map((to) => ({
        what: `statistics of ${relationText(to)}`,
        sql: `ANALYZE ${qualified(to)}`,
        soft: true as const,
      })),
      ...leavesFirst.flatMap((table) => belongings(table, placement)),
    ],
    findings: [
      ...newFindings(tables, { selection, state, placement }),
      ...existingFindings(filled),
      ...[...matches.values()].flatMap(({ findings }) => findings),
    ],
  };
}

/** A table that is asked for, with its partitions if it has any. */
export interface Unit {
  readonly root: TableThen;
  /** The root first. */
  readonly tables: readonly TableThen[];
  readonly to: RelationName;
  /** What has its name today. */
  readonly existing: ExistingTable | undefined;
  /** Names of partitions that are taken although the root is not there. */
  readonly inTheWay: readonly RelationName[];
}

function roots({ tables }: Selection): TableThen[] {
  return tables.filter((table) => !isPartitionOf(table, tables));
}

function isPartitionOf(table: TableThen, tables: readonly TableThen[]): boolean {
  return (
    table.partitionBound !== null &&
    table.parents.some((parent) => tables.some((other) => qualified(other) === qualified(parent)))
  );
}

function unitOf(root: TableThen, selection: Selection, placement: Placement, state: TargetState): Unit {
  const tables: TableThen[] = [root];
  for (const table of selection.tables) {
    if (table !== root && isPartitionOf(table, tables)) tables.push(table);
  }
  const to = placement.ofTable(root);
  const existing = state.tables.get(qualified(to));
  const taken = (name: RelationName) => state.names.get(name.schema)?.has(name.name) === true;
  const others = tables.map((table) => placement.ofTable(table));
  return { root, tables, to, existing, inTheWay: existing === undefined ? others.filter(taken) : [] };
}

function refuseExisting(units: readonly Unit[], state: TargetState, intent: Intent): void {
  const inTheWay = units.flatMap((unit) => unit.inTheWay);
  const there =
    intent.replace || intent.onlyMissing ? [] : units.filter(({ existing }) => existing !== undefined);
  const taken = [...there.map(({ to }) => to), ...inTheWay].map(relationText);
  if (taken.length === 0) return;
  const beside = intent.into !== undefined || intent.as !== undefined;
  throw new Failure(
    'target.exists',
    `${taken.join(', ')} ${taken.length === 1 ? 'is' : 'are'} there already`,
    {
      subject: state.database,
      hint:
        inTheWay.length > 0 || beside
          ? 'Nothing was changed. Choose another name or another schema: --as NAME, --into SCHEMA.'
          : 'Nothing was changed. Bring it beside with --as NAME or --into SCHEMA, insert the rows that are gone with ' +
            '--only-missing, or --replace what is there (that shows a plan and asks).',
    },
  );
}

/** The rows of an unlogged table are in no backup: replacing them would be deleting them. */
function refuseEmptying(units: readonly Unit[]): void {
  const emptied = units.filter(
    ({ existing, tables }) => existing !== undefined && tables.some((one) => one.unlogged),
  );
  if (emptied.length === 0) return;
  const names = emptied.map(({ to }) => relationText(to)).join(', ');
  throw new Failure('target.mismatch', `${names} was unlogged then: no backup has its rows`, {
    hint: 'Nothing was changed. Replacing it would only empty it.',
  });
}

/** Parents that come too, and those of today that the role may give children; a copy beside is nobody's child. */
function parentsOf(table: TableThen, placement: Placement, state: TargetState): RelationName[] {
  return table.parents
    .filter(
      (parent) =>
        placement.includes(parent) || (!placement.beside && state.relations.get(qualified(parent)) === true),
    )
    .map((parent) => placement.ofReference(parent));
}

function matchOf({ root, existing, to }: Unit) {
  return matchColumns(root.columns, existing?.facts.columns ?? [], to);
}

function madeStep(unit: Unit, selection: Selection, state: TargetState, placement: Placement): TableStep {
  const { root, tables, to } = unit;
  const copies = tables
    .filter(({ partitioned }) => !partitioned)
    .map((table) => {
      const columns = table.columns.filter(({ generated }) => generated === null);
      const portable = columns.every((column) => column.portable);
      return {
        from: table,
        to: placement.ofTable(table),
        columns: columns.map(({ name }) => name),
        rows: table.rows,
        ...formatFor(selection, state, portable),
      };
    });
  return { from: root, to, action: 'create', partitioned: root.partitioned, copies, ...sizeOf(unit) };
}

/** Through the root: the partitions of today need not be those of then. */
function filledStep(
  unit: Unit,
  selection: Selection,
  state: TargetState,
  intent: Intent,
  { columns, sameTypes }: ReturnType<typeof matchOf>,
): TableStep {
  const { root, tables, to, existing } = unit;
  const brought = root.columns.filter(({ name }) => columns.includes(name));
  const portable = sameTypes && brought.every((column) => column.portable);
  const copies = tables
    .filter(({ partitioned }) => !partitioned)
    .map((from) => ({ from, to, columns, rows: from.rows, ...formatFor(selection, state, portable) }));
  const step = { from: root, to, partitioned: existing?.facts.partitioned === true, copies, ...sizeOf(unit) };
  const now = existing === undefined ? {} : { rowsNow: existing.rows, oidNow: existing.facts.oid };
  if (intent.replace) return { ...step, ...now, action: 'replace' };
  const key = existing === undefined ? undefined : rowKey(existing.facts, columns);
  if (key !== undefined) return { ...step, ...now, action: 'add', key };
  throw new Failure('target.mismatch', `${relationText(to)} has no key that says which rows are missing`, {
    hint: '--only-missing needs a primary key, or a unique constraint of NOT NULL columns, in the table of today.',
  });
}

/** In binary form where both sides mean the same by it; as text, which every version reads, otherwise. */
function formatFor(
  selection: Selection,
  state: TargetState,
  portable: boolean,
): Pick<CopyStep, 'format' | 'encoding'> {
  const same = selection.encoding === state.encoding;
  const binary = portable && same && selection.major === state.major && selection.encoding !== 'SQL_ASCII';
  return { format: binary ? 'binary' : 'text', encoding: same ? selection.encoding : 'UTF8' };
}

function sizeOf({ tables }: Unit): { readonly rows: number; readonly bytes: number } {
  return {
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
    bytes: tables.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** What others point to comes before them, as far as that is possible: a row is checked when its table is filled. */
function inOrder(units: readonly Unit[]): Unit[] {
  const ordered: Unit[] = [];
  const visit = (unit: Unit, path: readonly Unit[]) => {
    if (ordered.includes(unit) || path.includes(unit)) return;
    for (const { references } of unit.existing?.facts.constraints ?? []) {
      const before = units.find(({ to }) => references !== null && qualified(to) === qualified(references));
      if (before !== undefined) visit(before, [...path, unit]);
    }
    ordered.push(unit);
  };
  for (const unit of units) visit(unit, []);
  return ordered;
}

/** Keys into tables that are made again: they went with the table, so they are not there now. */
function comingKeys(selection: Selection, state: TargetState, made: readonly TableThen[]): Statement[] {
  const names = new Set(made.map(qualified));
  return selection.incoming
    .filter(({ from, to }) => names.has(qualified(to)) && state.relations.has(qualified(from)))
    .flatMap(incomingKey);
}

function withKnownCollations(table: TableThen, { collations }: TargetState): TableThen {
  const columns = table.columns.map((column) =>
    column.collation === null || collations.has(column.collation) ? column : { ...column, collation: null },
  );
  return { ...table, columns };
}
