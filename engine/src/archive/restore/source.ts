import type { Id } from '../../kernel/id.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { resolveFolder } from '../../repository/snapshot-selection.ts';
import { type PathText, pathBytes } from '../filter/path-text.ts';

/** What to bring back: a snapshot's tree, or one of its directories (`snapshotID:subfolder`). */
export interface RestoreSource {
  readonly tree: Id;
  readonly subfolder?: PathText;
}

/** The tree of what a person named. Throws `snapshot.path-not-found`. */
export async function sourceTree(
  indexed: IndexedRepository,
  { tree, subfolder = '' }: RestoreSource,
  signal?: AbortSignal,
): Promise<Id> {
  const names = subfolder.split('/').filter((name) => name !== '');
  return await resolveFolder(indexed, tree, names.map(pathBytes), signal);
}
