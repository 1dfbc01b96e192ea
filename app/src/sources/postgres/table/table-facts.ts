import type { RelationName } from './relation-name.ts';

/**
 * A table as the catalog describes it: enough to make it again. Texts that are SQL (definitions, expressions, types) come
 * from the server's own pg_get_* functions with an empty search path, so every name in them is qualified.
 */
export interface TableFacts extends RelationName {
  readonly oid: number;
  readonly partitioned: boolean;
  readonly unlogged: boolean;
  readonly owner: string;
  readonly comment: string | null;
  /** `fillfactor=70`; those of its TOAST table begin with `toast.`. */
  readonly options: readonly string[];
  /** Null for heap. */
  readonly accessMethod: string | null;
  /** Null for the database's own. */
  readonly tablespace: string | null;
  /** `RANGE (at)`; null when it is not partitioned. */
  readonly partitionKey: string | null;
  /** `FOR VALUES FROM …`; null when it is no partition. */
  readonly partitionBound: string | null;
  readonly parents: readonly RelationName[];
  readonly rowSecurity: boolean;
  readonly forcedRowSecurity: boolean;
  /** pg_class.relreplident: d(efault), n(othing), f(ull), i(ndex). */
  readonly replicaIdentity: string;
  readonly typed: boolean;
  /** Of a label provider such as SELinux's. */
  readonly labelled: boolean;
  readonly columns: readonly ColumnFacts[];
  readonly constraints: readonly ConstraintFacts[];
  readonly indexes: readonly IndexFacts[];
  readonly sequences: readonly SequenceFacts[];
  readonly triggers: readonly TriggerFacts[];
  readonly rules: readonly DefinedFacts[];
  readonly statistics: readonly DefinedFacts[];
  readonly policies: readonly PolicyFacts[];
  readonly grants: readonly GrantFacts[];
  /** Views that read it, and publications that name it. */
  readonly views: readonly RelationName[];
  readonly publications: readonly string[];
}

export interface ColumnFacts {
  readonly name: string;
  /** With its modifier: `numeric(10,2)`. */
  readonly type: string;
  /** Whether its binary form means the same in another database of the same version. */
  readonly portable: boolean;
  readonly notNull: boolean;
  readonly default: string | null;
  /** How it is computed; then it has no default and takes no value. */
  readonly generated: { readonly expression: string; readonly stored: boolean } | null;
  readonly identity: 'always' | 'by default' | null;
  /** Qualified and quoted; null for the type's own. */
  readonly collation: string | null;
  /** Null for the type's own. */
  readonly storage: string | null;
  readonly compression: string | null;
  readonly statisticsTarget: number | null;
  readonly options: readonly string[];
  readonly comment: string | null;
  /** False when it comes from a parent alone. */
  readonly local: boolean;
}

export interface ConstraintFacts {
  readonly name: string;
  /** pg_constraint.contype: p, u, c, f, x, n. */
  readonly kind: string;
  readonly definition: string;
  readonly local: boolean;
  /** Follows from the same constraint of a partitioned parent. */
  readonly ofParent: boolean;
  readonly validated: boolean;
  readonly deferrable: boolean;
  readonly noInherit: boolean;
  readonly comment: string | null;
  /** In the order of the key. */
  readonly columns: readonly string[];
  /** What a foreign key points to; as SQL in `referenced`, as the definition has it. */
  readonly references: (RelationName & { readonly text: string }) | null;
}

export interface IndexFacts {
  readonly name: string;
  readonly unique: boolean;
  readonly partitioned: boolean;
  /** From the access method on: `btree (id) WHERE …`. */
  readonly body: string;
  /** The constraint that made it. */
  readonly constraint: string | null;
  readonly options: readonly string[];
  readonly valid: boolean;
  readonly clustered: boolean;
  readonly replicaIdentity: boolean;
  readonly tablespace: string | null;
  readonly comment: string | null;
}

/** A sequence that a column owns, or that its default asks. */
export interface SequenceFacts extends RelationName {
  readonly column: string;
  readonly owned: boolean;
  readonly identity: boolean;
  readonly type: string;
  /** Numbers of up to 64 bits, as text. */
  readonly start: string;
  readonly increment: string;
  readonly minimum: string;
  readonly maximum: string;
  readonly cache: string;
  readonly cycle: boolean;
  /** As a default names it: `nextval('shop.orders_id_seq'::regclass)`. */
  readonly nextValue: string;
  /** What it gives next. */
  readonly next: string;
  readonly grants: readonly GrantFacts[];
}

export interface DefinedFacts {
  readonly name: string;
  readonly definition: string;
}

export interface TriggerFacts extends DefinedFacts {
  /** pg_trigger.tgenabled: O(rigin), D(isabled), R(eplica), A(lways). */
  readonly enabled: string;
  readonly comment: string | null;
}

export interface PolicyFacts {
  readonly name: string;
  readonly permissive: boolean;
  /** ALL, SELECT, INSERT, UPDATE, DELETE. */
  readonly command: string;
  /** Empty for everybody. */
  readonly roles: readonly string[];
  readonly using: string | null;
  readonly check: string | null;
}

export interface GrantFacts {
  /** Null for everybody (PUBLIC). */
  readonly role: string | null;
  readonly privilege: string;
  readonly grantable: boolean;
  /** Null for the whole table. */
  readonly column: string | null;
}

/** A foreign key of a table outside of the selection that points into it. */
export interface IncomingKey {
  readonly from: RelationName;
  readonly to: RelationName;
  readonly name: string;
  readonly definition: string;
  readonly validated: boolean;
  readonly comment: string | null;
}
