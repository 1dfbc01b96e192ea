import type { Id } from '../../engine/src/kernel/id.ts';

/** A snapshot as it is found in the repository. */
export interface Found {
  readonly id: Id;
  readonly tags: readonly string[];
}

/** A snapshot that was there and is not any more. */
export interface Forgotten {
  readonly name: string;
  /** When the forgetting began, in milliseconds since the epoch. */
  readonly at: number;
  /** We forgot it and kept a record; restic keeps none. */
  readonly undoable: boolean;
}

/**
 * What one repository must hold, as a plain map. A snapshot is known by its id, and by the name that its backup gave it
 * as a tag; copies have ids of their own and keep the name. What ended well counts at once; what was killed or gave up
 * may have happened or not, and that is looked at when nobody is at work: `settle`.
 */
export class Holding {
  readonly #nameOf: (tags: readonly string[]) => string | undefined;
  /** Acknowledged and not forgotten: names by id. */
  readonly held = new Map<Id, string>();
  readonly forgotten = new Map<Id, Forgotten>();
  /** There or not. */
  readonly #doubtful = new Map<Id, Forgotten>();
  /** Acknowledged by restic, which tells only how an id begins. */
  readonly #begun = new Map<string, string>();
  /** Names that may have come, under whatever id. */
  readonly #possible = new Set<string>();
  /** Until when something may have been removed for good, in milliseconds since the epoch. */
  #removedUntil = 0;
  #removing = 0;

  constructor(nameOf: (tags: readonly string[]) => string | undefined) {
    this.#nameOf = nameOf;
  }

  save(id: Id, name: string): void {
    this.held.set(id, name);
  }

  /** A name whose id begins so. */
  saveBegun(prefix: string, name: string): void {
    this.#begun.set(prefix, name);
  }

  forget(ids: readonly Id[], { at, undoable }: Omit<Forgotten, 'name'>): void {
    for (const id of ids) {
      this.forgotten.set(id, { name: this.#takeOut(id), at, undoable });
    }
  }

  bringBack(ids: readonly Id[]): void {
    for (const id of ids) this.held.set(id, this.#takeOut(id));
  }

  /** Something tried to forget them, or to bring them back, and nobody knows how far it came. */
  doubt(ids: readonly Id[], fate: Omit<Forgotten, 'name'>): void {
    for (const id of ids) {
      const before = this.forgotten.get(id) ?? fate;
      this.#doubtful.set(id, { ...before, name: this.#takeOut(id) });
    }
  }

  mayHave(names: Iterable<string>): void {
    for (const name of names) this.#possible.add(name);
  }

  /** While something runs that removes data for good; undoing what was forgotten before its end may fail. */
  beginRemoval(): void {
    this.#removing += 1;
  }

  endRemoval(now: number): void {
    this.#removing -= 1;
    this.#removedUntil = now;
  }

  mayBeGone({ at, undoable }: Forgotten): boolean {
    return !undoable || this.#removing > 0 || this.#removedUntil >= at;
  }

  /** Takes over what is there now. Answers what is there and should not be, and what is not there and should be. */
  settle(found: readonly Found[]): string[] {
    const wrong: string[] = [];
    const there = new Set(found.map(({ id }) => id));
    for (const { id, tags } of found) {
      if (this.held.has(id)) continue;
      const name = this.#nameOf(tags);
      const begun = [...this.#begun].some(([prefix, named]) => named === name && id.startsWith(prefix));
      const isExpected = this.#doubtful.has(id) || begun || (name !== undefined && this.#possible.has(name));
      if (this.forgotten.has(id)) wrong.push(`snapshot ${id} was forgotten and is there again`);
      else if (!isExpected) wrong.push(`snapshot ${id} came from nowhere`);
      if (name !== undefined) this.held.set(id, name);
      this.forgotten.delete(id);
    }
    for (const id of this.held.keys()) {
      if (there.has(id)) continue;
      wrong.push(`snapshot ${id} was promised and is gone`);
      this.held.delete(id);
    }
    for (const [prefix, name] of this.#begun) {
      if ([...there].some((id) => id.startsWith(prefix) && this.held.get(id) === name)) continue;
      wrong.push(`snapshot ${prefix}… was promised by restic and is not there`);
    }
    for (const [id, fate] of this.#doubtful) if (!there.has(id)) this.forgotten.set(id, fate);
    this.#doubtful.clear();
    this.#begun.clear();
    this.#possible.clear();
    return wrong;
  }

  /** The name of a snapshot that is held or forgotten, which it is no longer then. */
  #takeOut(id: Id): string {
    const name = this.held.get(id) ?? this.forgotten.get(id)?.name ?? '';
    this.held.delete(id);
    this.forgotten.delete(id);
    return name;
  }
}
