import type { Node, StoredSnapshot } from '../../format/types.ts';
import type { Id } from '../../kernel/id.ts';
import type { TreeLoader } from './need-survey.ts';

/** A file as a snapshot has it. */
export interface SavedFile {
  readonly snapshot: StoredSnapshot;
  /** Names on the way down, its own last. */
  readonly names: readonly Buffer[];
  readonly node: Node;
}

/**
 * Every file of the snapshots, the newest snapshot first, since of that one most is still where it was. A directory that
 * an earlier snapshot had in the same place with the same content is not gone through again.
 */
export async function* savedFiles(
  snapshots: readonly StoredSnapshot[],
  loadTree: TreeLoader,
): AsyncIterable<SavedFile> {
  const seen = new Set<string>();
  for (const snapshot of snapshots.toReversed()) {
    const pending: { tree: Id; names: readonly Buffer[] }[] = [{ tree: snapshot.tree, names: [] }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { tree, names } = next;
      const place = `${tree} ${snapshot.paths.join('\0')} ${names.map((name) => name.toString('latin1')).join('/')}`;
      if (seen.has(place)) continue;
      seen.add(place);
      for (const node of (await loadTree(tree))?.nodes ?? []) {
        const below = [...names, node.name];
        if (node.subtree !== undefined) pending.push({ tree: node.subtree, names: below });
        else if (node.type === 'file') yield { snapshot, names: below, node };
      }
    }
  }
}
