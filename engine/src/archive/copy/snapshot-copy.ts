import { parseTime } from '../../format/go-time.ts';
import type { Snapshot, StoredSnapshot } from '../../format/types.ts';
import type { Id } from '../../kernel/id.ts';

/**
 * What a snapshot says in the repository that it is copied to, as restic has it: `original` is the id under which it was
 * first saved, however many copies lie between; a parent's id would mean nothing there.
 */
export function describeCopy({ id, parent, ...snapshot }: StoredSnapshot): Snapshot {
  return { ...snapshot, original: snapshot.original ?? id };
}

/** Snapshots by all the ids under which a copy of them is known. */
export class KnownCopies {
  readonly #byId = new Map<Id, StoredSnapshot[]>();

  constructor(snapshots: readonly StoredSnapshot[]) {
    for (const snapshot of snapshots) {
      this.#add(snapshot.id, snapshot);
      if (snapshot.original !== undefined) this.#add(snapshot.original, snapshot);
    }
  }

  /** The one that is this snapshot already: of the same origin, and the same in all that a copy keeps. */
  find(snapshot: StoredSnapshot): StoredSnapshot | undefined {
    return this.#byId.get(snapshot.original ?? snapshot.id)?.find((known) => areSame(known, snapshot));
  }

  #add(id: Id, snapshot: StoredSnapshot): void {
    const known = this.#byId.get(id) ?? [];
    known.push(snapshot);
    this.#byId.set(id, known);
  }
}

/** One that was tagged anew since is another one, as for restic. */
function areSame(a: Snapshot, b: Snapshot): boolean {
  return (
    a.tree === b.tree &&
    parseTime(a.time) === parseTime(b.time) &&
    a.hostname === b.hostname &&
    a.username === b.username &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    haveSame(a.paths, b.paths) &&
    haveSame(a.tags, b.tags) &&
    a.excludes.length === b.excludes.length &&
    a.excludes.every((exclude, at) => exclude === b.excludes[at])
  );
}

/** In any order. */
function haveSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && new Set(a).isSupersetOf(new Set(b));
}
