import type { Tree } from '../format/types.ts';
import type { Id } from '../kernel/id.ts';

export interface TreeWalk {
  /** Failing ends the walk. */
  readonly load: (id: Id) => Promise<Tree>;
  /** Whether to read this tree; asked whenever it is met, so whoever answers remembers what was met before. */
  readonly enter: (id: Id) => boolean;
  readonly visit: (id: Id, tree: Tree) => void;
  /** How many trees are read at once. */
  readonly concurrency: number;
  readonly signal?: AbortSignal | undefined;
}

/** Reads the trees below `roots`, in no order, each after the tree that led to it. */
export async function walkTrees(roots: Iterable<Id>, walk: TreeWalk): Promise<void> {
  const pending: Id[] = [];
  for (const root of roots) if (walk.enter(root)) pending.push(root);

  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const step = async (id: Id): Promise<void> => {
    const tree = await walk.load(id);
    walk.visit(id, tree);
    for (const { subtree } of tree.nodes) {
      if (subtree !== undefined && walk.enter(subtree)) pending.push(subtree);
    }
  };
  while (failures.length === 0) {
    walk.signal?.throwIfAborted();
    while (running.size < walk.concurrency) {
      const id = pending.pop();
      if (id === undefined) break;
      const job: Promise<void> = step(id)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(job));
      running.add(job);
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
}
