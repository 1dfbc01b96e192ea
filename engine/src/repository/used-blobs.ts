import type { BlobType } from '../format/types.ts';
import type { Id } from '../kernel/id.ts';
import type { IndexedRepository } from './indexed-repository.ts';
import { walkTrees } from './tree-walk.ts';

export interface UsedBlobs {
  /** For each entry of the blob table 1 when a tree below the roots needs it. */
  readonly flags: Uint8Array;
  /** Needed blobs that the index does not have; of trees among them, what is below is not known. */
  readonly missing: readonly { readonly type: BlobType; readonly id: Id }[];
}

/** Which blobs trees need, all that is below them included. Throws when a tree cannot be read. */
export async function findUsedBlobs(
  indexed: IndexedRepository,
  roots: Iterable<Id>,
  options: { readonly onTree?: (trees: number) => void; readonly signal?: AbortSignal | undefined } = {},
): Promise<UsedBlobs> {
  const { table } = indexed.index;
  const flags = new Uint8Array(table.size);
  const missing = new Map<string, { type: BlobType; id: Id }>();
  /** Whether it is there and was not met before. */
  const need = (type: BlobType, id: Id): boolean => {
    const entry = table.findId(type, id);
    if (entry < 0 || table.packOf(entry) < 0) {
      missing.set(`${type}/${id}`, { type, id });
      return false;
    }
    if (flags[entry] === 1) return false;
    flags[entry] = 1;
    return true;
  };
  let trees = 0;
  await walkTrees(roots, {
    concurrency: indexed.repository.backend.connections,
    signal: options.signal,
    load: (id) => indexed.loadTree(id, options.signal),
    enter: (id) => need('tree', id),
    visit: (_, tree) => {
      trees += 1;
      options.onTree?.(trees);
      for (const { content } of tree.nodes) for (const id of content ?? []) need('data', id);
    },
  });
  return { flags, missing: [...missing.values()] };
}
