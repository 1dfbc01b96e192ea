import type { Selection, TableThen } from '../sources/postgres/table/selection.ts';
import type {
  ColumnFacts,
  ConstraintFacts,
  IndexFacts,
  SequenceFacts,
} from '../sources/postgres/table/table-facts.ts';
import type { ExistingTable, TargetState } from '../sources/postgres/table/target-state.ts';

export function columnOf(name: string, facts: Partial<ColumnFacts> = {}): ColumnFacts {
  return {
    name,
    type: 'integer',
    portable: true,
    notNull: false,
    default: null,
    generated: null,
    identity: null,
    collation: null,
    storage: null,
    compression: null,
    statisticsTarget: null,
    options: [],
    comment: null,
    local: true,
    ...facts,
  };
}

export function constraintOf(name: string, facts: Partial<ConstraintFacts>): ConstraintFacts {
  return {
    name,
    kind: 'c',
    definition: '',
    local: true,
    ofParent: false,
    validated: true,
    deferrable: false,
    noInherit: false,
    comment: null,
    columns: [],
    references: null,
    ...facts,
  };
}

export function indexOf(name: string, facts: Partial<IndexFacts> = {}): IndexFacts {
  return {
    name,
    unique: false,
    partitioned: false,
    body: 'btree (id)',
    constraint: null,
    options: [],
    valid: true,
    clustered: false,
    replicaIdentity: false,
    tablespace: null,
    comment: null,
    ...facts,
  };
}

export function sequenceOf(name: string, facts: Partial<SequenceFacts> = {}): SequenceFacts {
  return {
    schema: 'shop',
    name,
    column: 'id',
    owned: true,
    identity: false,
    type: 'integer',
    start: '1',
    increment: '1',
    minimum: '1',
    maximum: '2147483647',
    cache: '1',
    cycle: false,
    nextValue: `nextval('shop.${name}'::regclass)`,
    next: '8',
    grants: [],
    ...facts,
  };
}

/** `shop.orders` unless said otherwise. */
export function tableOf(facts: Partial<TableThen> = {}): TableThen {
  return {
    oid: 1,
    schema: 'shop',
    name: 'orders',
    partitioned: false,
    unlogged: false,
    owner: 'clerk',
    comment: null,
    options: [],
    accessMethod: null,
    tablespace: null,
    partitionKey: null,
    partitionBound: null,
    parents: [],
    rowSecurity: false,
    forcedRowSecurity: false,
    replicaIdentity: 'd',
    typed: false,
    labelled: false,
    columns: [],
    constraints: [],
    indexes: [],
    sequences: [],
    triggers: [],
    rules: [],
    statistics: [],
    policies: [],
    grants: [],
    views: [],
    publications: [],
    rows: 10,
    bytes: 8192,
    ...facts,
  };
}

export function selectionOf(tables: readonly TableThen[], facts: Partial<Selection> = {}): Selection {
  return {
    database: 'shop',
    major: 18,
    encoding: 'UTF8',
    tables,
    types: [],
    incoming: [],
    leftOut: [],
    hasLargeObjects: false,
    ...facts,
  };
}

/** A database of today whose schema `shop` is empty. */
export function stateOf(facts: Partial<TargetState> = {}): TargetState {
  return {
    major: 18,
    encoding: 'UTF8',
    database: 'shop',
    role: 'clerk',
    mayCreateSchemas: true,
    mayUseTemporary: true,
    schemas: new Map([['shop', true]]),
    names: new Map(),
    tables: new Map(),
    incoming: [],
    relations: new Map(),
    types: new Map(),
    collations: new Set(),
    ...facts,
  };
}

/** A table of today, and what a state says of it. */
export function existingOf(facts: TableThen, more: Partial<ExistingTable> = {}): Partial<TargetState> {
  const existing: ExistingTable = {
    facts,
    rows: 7,
    mayOwn: true,
    maySelect: true,
    mayInsert: true,
    mayTruncate: true,
    ...more,
  };
  const name = `"${facts.schema}"."${facts.name}"`;
  return {
    tables: new Map([[name, existing]]),
    names: new Map([[facts.schema, new Set([facts.name])]]),
    relations: new Map([[name, existing.mayOwn]]),
  };
}
