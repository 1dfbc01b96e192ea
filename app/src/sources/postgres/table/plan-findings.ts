import type { Finding } from '@holdfast/engine';
import { identifier } from '../connection/replication-session.ts';
import type { Placement } from './placement.ts';
import { qualified, relationText } from './relation-name.ts';
import { firing } from './replace-rows.ts';
import { kindText, type Selection, type TableThen } from './selection.ts';
import type { Unit } from './table-plan.ts';
import type { TargetState } from './target-state.ts';

interface Surroundings {
  readonly selection: Selection;
  readonly state: TargetState;
  readonly placement: Placement;
}

/** What does not come with tables that are made again, as far as the catalogs tell. */
export function newFindings(tables: readonly TableThen[], around: Surroundings): Finding[] {
  const { selection, placement } = around;
  const findings = tables.flatMap((table) => ofTable(table, around));
  for (const one of selection.leftOut) {
    findings.push({
      severity: 'warning',
      code: 'table.left-out',
      subject: relationText(one),
      message: `it was ${kindText(one.kind)}, not a table, and is not brought`,
    });
  }
  if (placement.beside && tables.length > 0) {
    findings.push({
      severity: 'note',
      code: 'table.beside',
      subject: tables.map((table) => relationText(placement.ofTable(table))).join(', '),
      message:
        'a copy beside the tables of today belongs to the role that makes it: grants, policies, triggers, rules and ' +
        'foreign keys to tables of today are left out',
    });
  }
  return findings;
}

/** What should be known before rows go into tables of today. */
export function existingFindings(units: readonly Unit[]): Finding[] {
  return units.flatMap(({ root, to, existing }) => {
    const findings: Finding[] = [];
    const add = (code: string, message: string) =>
      findings.push({ severity: 'warning', code, subject: relationText(to), message });
    const triggers = firing(existing?.facts.triggers ?? []);
    if (triggers.length > 0 && existing?.mayOwn === false) {
      const names = triggers.map(({ name }) => name).join(', ');
      add(
        'table.triggers-fire',
        `its triggers fire for what is brought, since only the owner may stop them: ${names}`,
      );
    }
    if (root.unlogged) add('table.unlogged', UNLOGGED);
    return findings;
  });
}

function ofTable(table: TableThen, { selection, state, placement }: Surroundings): Finding[] {
  const findings: Finding[] = [];
  const add = (severity: Finding['severity'], code: string, message: string, hint?: string) =>
    findings.push({
      severity,
      code,
      subject: relationText(placement.ofTable(table)),
      message,
      ...(hint === undefined ? {} : { hint }),
    });
  if (table.unlogged) add('warning', 'table.unlogged', UNLOGGED);
  if (table.typed) add('note', 'table.typed', 'it was made of a type; it comes back as a table of its own');
  for (const { name, collation } of table.columns) {
    if (collation === null || state.collations.has(collation)) continue;
    add('warning', 'table.collation', `column ${name} had the collation ${collation}, which is not there`);
  }
  const pointers = table.columns.filter(({ type }) => type === 'oid' || /(^|\.)lo$/.test(type));
  if (selection.hasLargeObjects && pointers.length > 0) {
    const names = pointers.map(({ name }) => name).join(', ');
    add('warning', 'table.large-objects', `large objects are not brought, only their numbers: ${names}`);
  }
  for (const { name, valid, partitioned } of table.indexes) {
    if (!valid && !partitioned)
      add('note', 'table.index-invalid', `index ${name} was not valid then and is left out`);
  }
  if (placement.beside) return findings;
  if (table.labelled) add('warning', 'table.security-label', 'its security labels are not brought');
  for (const parent of table.parents) {
    if (placement.includes(parent) || state.relations.get(qualified(parent)) === true) continue;
    const why = state.relations.has(qualified(parent)) ? 'belongs to another role' : 'is not there';
    add(
      'warning',
      'table.parent',
      `it was ${table.partitionBound === null ? 'a child' : 'a partition'} of ${relationText(parent)}, which ${why}: it comes back alone`,
    );
  }
  for (const view of table.views) {
    if (state.relations.has(qualified(view))) continue;
    add('warning', 'table.view', `the view ${relationText(view)} read it, is gone and is not brought`);
  }
  for (const { from, to, name } of selection.incoming) {
    if (qualified(to) !== qualified(table) || state.relations.has(qualified(from))) continue;
    add('note', 'table.referrer', `${relationText(from)} pointed to it (${name}) and is not there`);
  }
  for (const publication of table.publications) {
    add(
      'warning',
      'table.publication',
      `it was in the publication ${publication}, and is not put back into it`,
      `ALTER PUBLICATION ${identifier(publication)} ADD TABLE ${qualified(table)};`,
    );
  }
  return findings;
}

const UNLOGGED = 'it is unlogged: no backup has its rows';
