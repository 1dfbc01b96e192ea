import { literal } from '../connection/replication-session.ts';
import { freeName, qualified, type RelationName } from './relation-name.ts';
import type { SequenceFacts, TableFacts } from './table-facts.ts';

/** Where tables go and what they may be called there. */
export interface PlacementRequest {
  /** Another schema for all of them. */
  readonly into?: string;
  /** Another name for the one table. */
  readonly as?: string;
}

/**
 * Decides every name on the target. Indexes and sequences share their names with tables: a table that was renamed out of
 * the way still has them, so what is taken gives way to `name_1`.
 */
export class Placement {
  /** Beside the tables of today, for looking at and repairing from, not in their place. */
  readonly beside: boolean;
  readonly #request: PlacementRequest;
  readonly #tables: ReadonlyMap<string, TableFacts>;
  /** Names of relations by schema, which grows while names are given. */
  readonly #taken: Map<string, Set<string>>;
  readonly #sequences = new Map<string, RelationName>();

  constructor(
    request: PlacementRequest,
    tables: readonly TableFacts[],
    taken: ReadonlyMap<string, ReadonlySet<string>>,
  ) {
    this.#request = request;
    this.beside = request.into !== undefined || request.as !== undefined;
    this.#tables = new Map(tables.map((table) => [qualified(table), table]));
    this.#taken = new Map([...taken].map(([schema, names]) => [schema, new Set(names)]));
    for (const table of tables) {
      const { schema, name } = this.ofTable(table);
      this.#namesOf(schema).add(name);
    }
    // Those that a column owns first: another table's default may ask them too, and must not decide where they go.
    for (const sequence of tables.flatMap(({ sequences }) => sequences)) {
      if (sequence.owned) this.ofSequence(sequence);
    }
  }

  /** Where a table of the selection goes. */
  ofTable({ schema, name }: RelationName): RelationName {
    return { schema: this.#request.into ?? schema, name: this.#renamed(name) };
  }

  includes(table: RelationName): boolean {
    return this.#tables.has(qualified(table));
  }

  /** Where what a table of then refers to is now: the one that comes with it, or the one of today. */
  ofReference(table: RelationName): RelationName {
    return this.includes(table) ? this.ofTable(table) : table;
  }

  /** A free name for an index (or the constraint that makes it) in the schema of its table. */
  indexName(table: RelationName, name: string): string {
    return this.#take(this.ofTable(table).schema, this.#renamed(name));
  }

  /** The same answer each time: several defaults may ask one sequence. */
  ofSequence(sequence: SequenceFacts): RelationName {
    const key = qualified(sequence);
    const known = this.#sequences.get(key);
    if (known !== undefined) return known;
    // What belongs to no column is shared by others, and stays where it is.
    const schema = sequence.owned ? (this.#request.into ?? sequence.schema) : sequence.schema;
    const name = sequence.owned ? this.#take(schema, this.#renamed(sequence.name)) : sequence.name;
    const placed = { schema, name };
    this.#sequences.set(key, placed);
    return placed;
  }

  isTaken({ schema, name }: RelationName): boolean {
    return this.#taken.get(schema)?.has(name) === true;
  }

  /** An expression that asks sequences of the table, as it reads where they are now. */
  expression(table: TableFacts, text: string): string {
    let placed = text;
    for (const sequence of table.sequences) {
      const now = qualified(this.ofSequence(sequence));
      placed = placed.replaceAll(sequence.nextValue, () => `nextval(${literal(now)}::regclass)`);
    }
    return placed;
  }

  #take(schema: string, wanted: string): string {
    const taken = this.#namesOf(schema);
    const name = freeName(wanted, taken);
    taken.add(name);
    return name;
  }

  #namesOf(schema: string): Set<string> {
    const names = this.#taken.get(schema) ?? new Set();
    this.#taken.set(schema, names);
    return names;
  }

  /** With another name for the table, what was named after it is too: `orders_pkey` becomes `orders_then_pkey`. */
  #renamed(name: string): string {
    const { as } = this.#request;
    const root = this.#tables.values().next().value;
    if (as === undefined || root === undefined) return name;
    return name.startsWith(root.name) ? as + name.slice(root.name.length) : `${as}_${name}`;
  }
}
