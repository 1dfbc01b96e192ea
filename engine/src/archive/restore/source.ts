import type { Id } from '../../kernel/id.ts';
import type { PathText } from '../filter/path-text.ts';
import { findSubfolder, type TreeSource } from './tree-walk.ts';

/** What to bring back: a snapshot's tree, or one of its directories (`snapshotID:subfolder`). */
export interface RestoreSource {
  readonly tree: Id;
  readonly subfolder?: PathText;
}

/** The tree of what a person named. Throws `snapshot.path-not-found`. */
export async function sourceTree(
  trees: TreeSource,
  { tree, subfolder }: RestoreSource,
  signal?: AbortSignal,
): Promise<Id> {
  return subfolder === undefined ? tree : await findSubfolder(trees, tree, subfolder, signal);
}
