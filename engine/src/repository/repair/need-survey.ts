import { decodeTree } from '../../format/tree.ts';
import type { BlobType, StoredSnapshot, Tree } from '../../format/types.ts';
import type { Id } from '../../kernel/id.ts';
import { type BlobKey, blobKey } from '../check/ledger.ts';
import type { IndexedRepository } from '../indexed-repository.ts';
import { walkTrees } from '../tree-walk.ts';
import type { BlobSource, WantedBlob } from './blob-source.ts';
import { damageOf } from './damage.ts';
import type { Wholeness } from './wholeness.ts';

/** What snapshots need that the repository does not have whole. */
export interface NeedSurvey {
  readonly wanted: ReadonlyMap<BlobKey, WantedBlob>;
  /** Packs in which a tree turned out to be unreadable: they have not been read in full yet. */
  readonly suspects: ReadonlySet<Id>;
  /** Whether a snapshot needs a blob that the index names. */
  isNeeded(type: BlobType, id: Id): boolean;
}

/** A tree, from the repository or from another source; undefined when nobody has it. */
export type TreeLoader = (id: Id) => Promise<Tree | undefined>;

export interface TreeLoaderOptions {
  readonly sources: readonly BlobSource[];
  /** A tree that cannot be read at all is not taken for lost. */
  readonly strict?: boolean | undefined;
  readonly signal: AbortSignal;
  /** Hears of each pack in which a tree could not be read. */
  readonly onBad?: (pack: Id) => void;
}

/** Trees that are lost here are read from `sources`: what is below them is not known otherwise. */
export function treeLoader(
  indexed: IndexedRepository,
  wholeness: Wholeness,
  { sources, strict, signal, onBad }: TreeLoaderOptions,
): TreeLoader {
  return async (id) => {
    if (wholeness.isWhole('tree', id)) {
      try {
        return await indexed.loadTree(id, signal);
      } catch (error) {
        damageOf(error, strict);
        for (const { pack, offset } of indexed.index.lookupAll('tree', id)) {
          wholeness.spoil(pack, offset);
          onBad?.(pack);
        }
      }
    }
    for (const source of sources) {
      const content = await source.load({ type: 'tree', id }, signal);
      if (content !== undefined) return decodeTree(content);
    }
    return undefined;
  };
}

export interface NeedSurveyOptions extends Omit<TreeLoaderOptions, 'onBad'> {
  readonly onTree?: ((done: number) => void) | undefined;
}

/** Reads every tree that snapshots lead to, and looks up every blob that they name. */
export async function surveyNeeds(
  indexed: IndexedRepository,
  snapshots: readonly StoredSnapshot[],
  wholeness: Wholeness,
  { onTree, ...options }: NeedSurveyOptions,
): Promise<NeedSurvey> {
  const { table } = indexed.index;
  const needed = new Uint8Array(table.size);
  const wanted = new Map<BlobKey, WantedBlob>();
  const suspects = new Set<Id>();
  const load = treeLoader(indexed, wholeness, { ...options, onBad: (pack) => suspects.add(pack) });

  /** Whether it is met for the first time. */
  const need = (type: BlobType, id: Id): boolean => {
    const entry = table.findId(type, id);
    if (entry >= 0) {
      if (needed[entry] === 1) return false;
      needed[entry] = 1;
    }
    if (wholeness.isWhole(type, id)) return true;
    const key = blobKey(type, id);
    const isNew = !wanted.has(key);
    wanted.set(key, { type, id });
    return isNew;
  };
  let trees = 0;
  await walkTrees(
    snapshots.map(({ tree }) => tree),
    {
      concurrency: indexed.repository.backend.connections,
      signal: options.signal,
      enter: (id) => need('tree', id),
      async load(id) {
        const tree = await load(id);
        if (!wholeness.isWhole('tree', id)) wanted.set(blobKey('tree', id), { type: 'tree', id });
        return tree ?? { nodes: [] };
      },
      visit(_, tree) {
        trees += 1;
        onTree?.(trees);
        for (const { content } of tree.nodes) for (const id of content ?? []) need('data', id);
      },
    },
  );
  return {
    wanted,
    suspects,
    isNeeded: (type, id) => {
      const entry = table.findId(type, id);
      return entry >= 0 && needed[entry] === 1;
    },
  };
}
