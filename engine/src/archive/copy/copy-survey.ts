import type { BlobType, StoredSnapshot, Tree } from '../../format/types.ts';
import { isFailure } from '../../kernel/failure.ts';
import type { Id } from '../../kernel/id.ts';
import { damageOf } from '../../repository/check/damage.ts';
import { type BlobKey, blobKey } from '../../repository/check/ledger.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { walkTrees } from '../../repository/tree-walk.ts';

export interface SurveyOptions {
  /** Snapshots of the source that the target has: all that they need is there. */
  readonly present: readonly StoredSnapshot[];
  /** Trees read so far. */
  readonly onTree?: (trees: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Finds out, some snapshots after the others, what the target lacks. Trees are read from the source, also those that the target
 * has: a tree may have come with a copy that was cut short before what lies below it. Only what is the same in a
 * snapshot that the target has is left out, so that a nightly copy reads the folders that have changed.
 */
export class CopySurvey {
  /** Of the source's blob table, in the order in which they were met: what the target lacks. */
  readonly entries: number[] = [];
  /** Their bytes in the source's packs. */
  bytes = 0;
  /** What the target lacks and the source cannot give. */
  readonly lost = new Set<BlobKey>();
  readonly #source: IndexedRepository;
  readonly #target: IndexedRepository;
  readonly #options: SurveyOptions;
  /** By host and paths. */
  readonly #present: ReadonlyMap<string, StoredSnapshot>;
  /** By entry of the source's blob table. */
  readonly #met: Uint8Array;
  /** Trees that the target has and the source does not. */
  readonly #metElsewhere = new Set<BlobKey>();
  /** For a tree the one that was in its place in a snapshot that the target has. */
  readonly #earlier = new Map<Id, Id>();
  #trees = 0;

  constructor(source: IndexedRepository, target: IndexedRepository, options: SurveyOptions) {
    this.#source = source;
    this.#target = target;
    this.#options = options;
    this.#present = newestOfEach(options.present);
    this.#met = new Uint8Array(source.index.table.size);
  }

  /** At once, so that on a long way one does not wait for the other: what is met belongs to all of them. */
  async add(snapshots: readonly StoredSnapshot[]): Promise<void> {
    for (const snapshot of snapshots) {
      const earlier = this.#present.get(kindOf(snapshot));
      if (earlier !== undefined) this.#compare(snapshot.tree, earlier.tree);
    }
    const roots = snapshots.map(({ tree }) => tree);
    await walkTrees(roots, {
      concurrency: this.#source.repository.backend.connections,
      signal: this.#options.signal,
      load: (id) => this.#load(id),
      enter: (id) => this.#meet('tree', id),
      visit: (_, tree) => {
        this.#trees += 1;
        this.#options.onTree?.(this.#trees);
        for (const { content } of tree.nodes) for (const id of content ?? []) this.#meet('data', id);
      },
    });
  }

  /** Whether it can be had and was not met before. */
  #meet(type: BlobType, id: Id): boolean {
    const { table } = this.#source.index;
    const entry = table.findId(type, id);
    const isThere = entry >= 0 && table.packOf(entry) >= 0;
    if (isThere) {
      if (this.#met[entry] === 1) return false;
      this.#met[entry] = 1;
    }
    if (this.#target.index.has(type, id)) return isThere || this.#meetElsewhere(blobKey(type, id));
    if (!isThere) {
      this.lost.add(blobKey(type, id));
      return false;
    }
    this.entries.push(entry);
    this.bytes += table.lengthOf(entry);
    return true;
  }

  #meetElsewhere(key: BlobKey): boolean {
    if (this.#metElsewhere.has(key)) return false;
    this.#metElsewhere.add(key);
    return true;
  }

  /** What neither has is lost, and the walk goes on beside it. */
  async #load(id: Id): Promise<Tree> {
    try {
      const tree = await loadTree(this.#source, this.#target, id, this.#options.signal);
      await this.#compareWithEarlier(id, tree);
      return tree;
    } catch (error) {
      damageOf(error);
      this.lost.add(blobKey('tree', id));
      return { nodes: [] };
    }
  }

  async #compareWithEarlier(id: Id, tree: Tree): Promise<void> {
    const earlier = this.#earlier.get(id);
    if (earlier === undefined || !tree.nodes.some(({ subtree }) => subtree !== undefined)) return;
    const nodes = await this.#nodesOf(earlier);
    const folders = new Map(nodes.map(({ name, subtree }) => [name.toString('latin1'), subtree]));
    for (const { name, subtree } of tree.nodes) {
      const before = folders.get(name.toString('latin1'));
      if (subtree !== undefined && before !== undefined) this.#compare(subtree, before);
    }
  }

  #compare(id: Id, earlier: Id): void {
    if (id !== earlier) {
      this.#earlier.set(id, earlier);
      return;
    }
    // Should the target have lost its own, it is not believed to have what lies below.
    if (this.#target.index.has('tree', id)) {
      const entry = this.#source.index.table.findId('tree', id);
      if (entry >= 0) this.#met[entry] = 1;
    }
  }

  /** A shortcut only: without it everything is read. */
  async #nodesOf(id: Id): Promise<Tree['nodes']> {
    try {
      return (await loadTree(this.#source, this.#target, id, this.#options.signal)).nodes;
    } catch (error) {
      if (isFailure(error) && error.code !== 'interrupted') return [];
      throw error;
    }
  }
}

/** From the target, where the source is damaged. */
export async function loadTree(
  source: IndexedRepository,
  target: IndexedRepository,
  id: Id,
  signal: AbortSignal,
): Promise<Tree> {
  try {
    return await source.loadTree(id, signal);
  } catch (error) {
    damageOf(error);
    if (!target.index.has('tree', id)) throw error;
    return await target.loadTree(id, signal);
  }
}

/** The newest of each host and set of paths. */
function newestOfEach(snapshots: readonly StoredSnapshot[]): Map<string, StoredSnapshot> {
  const newest = new Map<string, StoredSnapshot>();
  for (const snapshot of snapshots) {
    const known = newest.get(kindOf(snapshot));
    if (known === undefined || Date.parse(snapshot.time) > Date.parse(known.time)) {
      newest.set(kindOf(snapshot), snapshot);
    }
  }
  return newest;
}

function kindOf({ hostname, paths }: StoredSnapshot): string {
  return [hostname, ...paths].join('\0');
}
