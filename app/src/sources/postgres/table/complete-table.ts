import { identifier, literal } from '../connection/replication-session.ts';
import { optionText } from './create-table.ts';
import type { Placement } from './placement.ts';
import { qualified, relationText } from './relation-name.ts';
import type { Statement } from './statement.ts';
import type { ConstraintFacts, IncomingKey, IndexFacts, TableFacts } from './table-facts.ts';

/**
 * Keys and indexes, built once the rows are in. Of a partitioned table the partitions' come first: the parent's then takes
 * those that fit instead of making others under names of its own.
 */
export function completeTable(table: TableFacts, placement: Placement): Statement[] {
  const target = placement.ofTable(table);
  const name = qualified(target);
  const where = relationText(target);
  const statements: Statement[] = [];
  const given = new Map<string, string>();
  const add = (what: string, sql: string) =>
    statements.push({ what: `${what} of ${where}`, sql, soft: true });
  for (const one of table.constraints.filter(({ kind }) => 'pux'.includes(kind))) {
    const free = placement.indexName(table, one.name);
    given.set(one.name, free);
    add(`constraint ${free}`, `ALTER TABLE ${name} ADD CONSTRAINT ${identifier(free)} ${one.definition}`);
    statements.push(...constraintComment(table, placement, one, free));
  }
  for (const index of table.indexes) {
    if (index.constraint === null) {
      if (!index.valid && !index.partitioned) continue;
      const free = placement.indexName(table, index.name);
      given.set(index.name, free);
      add(
        `index ${free}`,
        `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${identifier(free)} ON ${name} USING ${index.body}`,
      );
    }
    const free = given.get(index.constraint ?? index.name);
    if (free !== undefined) settle(index, free);
  }
  for (const one of table.constraints) {
    if ('cn'.includes(one.kind) && !one.validated && one.local) {
      add(
        `constraint ${one.name}`,
        `ALTER TABLE ${name} ADD CONSTRAINT ${identifier(one.name)} ${one.definition}`,
      );
    }
    if ('cn'.includes(one.kind)) statements.push(...constraintComment(table, placement, one, one.name));
  }
  if (table.replicaIdentity === 'n' || table.replicaIdentity === 'f') {
    add(
      'replica identity',
      `ALTER TABLE ONLY ${name} REPLICA IDENTITY ${table.replicaIdentity === 'f' ? 'FULL' : 'NOTHING'}`,
    );
  }
  return statements;

  function settle(index: IndexFacts, free: string): void {
    const indexed = qualified({ schema: target.schema, name: free });
    if (index.constraint !== null && index.options.length > 0) {
      add(
        `options of index ${free}`,
        `ALTER INDEX ${indexed} SET (${index.options.map(optionText).join(', ')})`,
      );
    }
    if (index.tablespace !== null) {
      add(
        `tablespace of index ${free}`,
        `ALTER INDEX ${indexed} SET TABLESPACE ${identifier(index.tablespace)}`,
      );
    }
    if (index.comment !== null) {
      add(`comment on index ${free}`, `COMMENT ON INDEX ${indexed} IS ${literal(index.comment)}`);
    }
    if (index.clustered) add(`cluster order`, `ALTER TABLE ${name} CLUSTER ON ${identifier(free)}`);
    if (index.replicaIdentity) {
      add('replica identity', `ALTER TABLE ONLY ${name} REPLICA IDENTITY USING INDEX ${identifier(free)}`);
    }
  }
}

/**
 * Foreign keys, when every table of the selection is complete. Rows that point to what is gone do not keep the key away: it
 * then holds for new rows, and it is said so. Beside the tables of today, only keys among the copies make sense.
 */
export function outgoingKeys(table: TableFacts, placement: Placement): Statement[] {
  const name = placement.ofTable(table);
  return table.constraints.flatMap((one) => {
    if (one.kind !== 'f' || one.ofParent || one.references === null) return [];
    if (placement.beside && !placement.includes(one.references)) return [];
    const there = `REFERENCES ${one.references.text}`;
    const moved = `REFERENCES ${qualified(placement.ofReference(one.references))}`;
    const definition = one.definition.replace(there, () => moved);
    return [foreignKey(name, one.name, definition), ...constraintComment(table, placement, one, one.name)];
  });
}

/** The keys of other tables that went with the table when it was dropped. */
export function incomingKey(key: IncomingKey): Statement[] {
  const name = `CONSTRAINT ${identifier(key.name)} ON ${qualified(key.from)}`;
  return [
    foreignKey(key.from, key.name, key.definition),
    ...(key.comment === null
      ? []
      : [
          {
            what: `comment on foreign key ${key.name}`,
            sql: `COMMENT ON ${name} IS ${literal(key.comment)}`,
            soft: true as const,
          },
        ]),
  ];
}

/** What the table had beside rows and keys. A copy beside the tables of today has none of it: it would act, or be seen. */
export function belongings(table: TableFacts, placement: Placement): Statement[] {
  const target = placement.ofTable(table);
  const name = qualified(target);
  const statements: Statement[] = [];
  const add = (what: string, sql: string) =>
    statements.push({ what: `${what} of ${relationText(target)}`, sql, soft: true });
  if (table.comment !== null) add('comment', `COMMENT ON TABLE ${name} IS ${literal(table.comment)}`);
  for (const column of table.columns) {
    const at = `${name}.${identifier(column.name)}`;
    const alter = `ALTER TABLE ONLY ${name} ALTER COLUMN ${identifier(column.name)}`;
    if (column.comment !== null)
      add(`comment on column ${column.name}`, `COMMENT ON COLUMN ${at} IS ${literal(column.comment)}`);
    if (column.statisticsTarget !== null)
      add(`statistics target of ${column.name}`, `${alter} SET STATISTICS ${column.statisticsTarget}`);
    if (column.options.length > 0)
      add(`options of column ${column.name}`, `${alter} SET (${column.options.map(optionText).join(', ')})`);
  }
  if (placement.beside) return statements;
  for (const { name: statistics, definition } of table.statistics)
    add(`statistics ${statistics}`, definition);
  for (const rule of table.rules) add(`rule ${rule.name}`, rule.definition);
  for (const trigger of table.triggers) {
    const called = identifier(trigger.name);
    add(`trigger ${trigger.name}`, trigger.definition);
    const state = TRIGGER_STATES[trigger.enabled];
    if (state !== undefined)
      add(`state of trigger ${trigger.name}`, `ALTER TABLE ${name} ${state} ${called}`);
    if (trigger.comment !== null) {
      const text = literal(trigger.comment);
      add(`comment on trigger ${trigger.name}`, `COMMENT ON TRIGGER ${called} ON ${name} IS ${text}`);
    }
  }
  for (const policy of table.policies) {
    const roles = policy.roles.length === 0 ? 'PUBLIC' : policy.roles.map(identifier).join(', ');
    const using = policy.using === null ? '' : ` USING (${policy.using})`;
    const check = policy.check === null ? '' : ` WITH CHECK (${policy.check})`;
    const kind = policy.permissive ? 'PERMISSIVE' : 'RESTRICTIVE';
    add(
      `policy ${policy.name}`,
      `CREATE POLICY ${identifier(policy.name)} ON ${name} AS ${kind} FOR ${policy.command} TO ${roles}${using}${check}`,
    );
  }
  if (table.rowSecurity) add('row security', `ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`);
  if (table.forcedRowSecurity) add('row security', `ALTER TABLE ${name} FORCE ROW LEVEL SECURITY`);
  for (const grant of table.grants) {
    const columns = grant.column === null ? '' : ` (${identifier(grant.column)})`;
    add(
      `grant to ${grant.role ?? 'PUBLIC'}`,
      grantText(grant, `${grant.privilege}${columns}`, `TABLE ${name}`),
    );
  }
  for (const sequence of table.sequences.filter(({ owned }) => owned)) {
    const at = `SEQUENCE ${qualified(placement.ofSequence(sequence))}`;
    for (const grant of sequence.grants) {
      add(`grant on ${sequence.name} to ${grant.role ?? 'PUBLIC'}`, grantText(grant, grant.privilege, at));
    }
  }
  // Last: whoever gives a table away may not change it any more. Its sequences go with it.
  add(`owner ${table.owner}`, `ALTER TABLE ${name} OWNER TO ${identifier(table.owner)}`);
  return statements;
}

function foreignKey(
  table: { readonly schema: string; readonly name: string },
  name: string,
  definition: string,
): Statement {
  const what = `foreign key ${name} of ${relationText(table)}`;
  const sql = `ALTER TABLE ${qualified(table)} ADD CONSTRAINT ${identifier(name)} ${definition}`;
  if (definition.endsWith(' NOT VALID')) return { what, sql, soft: true };
  const later = `ALTER TABLE ${qualified(table)} VALIDATE CONSTRAINT ${identifier(name)};`;
  return { what, sql, soft: true, instead: { sql: `${sql} NOT VALID`, later } };
}

function constraintComment(
  table: TableFacts,
  placement: Placement,
  { comment }: ConstraintFacts,
  name: string,
): Statement[] {
  if (comment === null) return [];
  const on = `CONSTRAINT ${identifier(name)} ON ${qualified(placement.ofTable(table))}`;
  return [
    { what: `comment on constraint ${name}`, sql: `COMMENT ON ${on} IS ${literal(comment)}`, soft: true },
  ];
}

function grantText(
  { role, grantable }: { readonly role: string | null; readonly grantable: boolean },
  privilege: string,
  on: string,
): string {
  const to = role === null ? 'PUBLIC' : identifier(role);
  return `GRANT ${privilege} ON ${on} TO ${to}${grantable ? ' WITH GRANT OPTION' : ''}`;
}

/** O(rigin) is what a new trigger is. */
const TRIGGER_STATES: Readonly<Record<string, string>> = {
  D: 'DISABLE TRIGGER',
  R: 'ENABLE REPLICA TRIGGER',
  A: 'ENABLE ALWAYS TRIGGER',
};
