import { Failure, type Finding } from '@holdfast/engine';
import { type RelationName, relationText } from './relation-name.ts';
import type { ColumnFacts, TableFacts } from './table-facts.ts';

export interface ColumnMatch {
  /** Columns whose values are brought, under the name that they have in both. */
  readonly columns: readonly string[];
  readonly sameTypes: boolean;
  readonly findings: readonly Finding[];
}

/**
 * Which values of then find a column in the table of today. A column that came since takes its default or null; where it
 * cannot, the rows of then do not fit any more: `target.mismatch`.
 */
export function matchColumns(
  then: readonly ColumnFacts[],
  now: readonly ColumnFacts[],
  to: RelationName,
): ColumnMatch {
  const where = relationText(to);
  const came = now.filter(({ name }) => !then.some((column) => column.name === name));
  const stuck = came.filter((column) => column.notNull && !hasOwnValue(column));
  if (stuck.length > 0) {
    throw new Failure(
      'target.mismatch',
      `${where} has columns now that the rows of then have no value for: ${names(stuck)}`,
      {
        hint:
          'They are NOT NULL and have no default. Give them one (ALTER TABLE … ALTER COLUMN … SET DEFAULT …), ' +
          'or bring the table beside the one of today with --as NAME.',
      },
    );
  }
  const findings: Finding[] = [];
  const note = (code: string, message: string, severity: Finding['severity']) =>
    findings.push({ severity, code, subject: where, message });
  const went = then.filter(({ name }) => !now.some((column) => column.name === name));
  if (went.length > 0) {
    note(
      'table.column-gone',
      `columns that it had then are not there now, their values stay out: ${names(went)}`,
      'warning',
    );
  }
  if (came.length > 0) {
    note('table.column-new', `columns that came since get their default: ${names(came)}`, 'note');
  }
  const shared = then.filter(
    (column) => column.generated === null && isFilled(now.find(({ name }) => name === column.name)),
  );
  const changed = shared.filter(
    (column) => now.find(({ name }) => name === column.name)?.type !== column.type,
  );
  if (changed.length > 0) {
    note(
      'table.column-type',
      `columns have another type now, their values go over as text: ${names(changed)}`,
      'warning',
    );
  }
  return { columns: shared.map(({ name }) => name), sameTypes: changed.length === 0, findings };
}

/**
 * What tells rows apart, for finding those that are missing: the primary key, else a unique key that cannot be null. Its
 * columns must have been there then.
 */
export function rowKey(now: TableFacts, columns: readonly string[]): readonly string[] | undefined {
  const unique = now.constraints.filter(({ kind, deferrable }) => 'pu'.includes(kind) && !deferrable);
  return unique
    .toSorted((a, b) => (a.kind < b.kind ? -1 : 1))
    .map((constraint) => constraint.columns)
    .find((key) => key.every((name) => columns.includes(name) && isNotNull(now, name)));
}

function isNotNull(table: TableFacts, name: string): boolean {
  return table.columns.some((column) => column.name === name && column.notNull);
}

function hasOwnValue(column: ColumnFacts): boolean {
  return column.default !== null || column.generated !== null || column.identity !== null;
}

function isFilled(column: ColumnFacts | undefined): boolean {
  return column !== undefined && column.generated === null;
}

function names(columns: readonly ColumnFacts[]): string {
  return columns.map(({ name, type }) => `${name} (${type})`).join(', ');
}
