import type { Id } from '../../kernel/id.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import type { PathText } from '../filter/path-text.ts';
import { type EntryStep, type ProblemStep, walkTree } from './tree-walk.ts';

export interface ListOptions {
  /** Absolute paths inside the snapshot: only these and what stands directly in them. Everything without any. */
  readonly directories?: readonly PathText[];
  /** With directories: all that is below them. */
  readonly recursive?: boolean;
  readonly signal?: AbortSignal;
}

/** What a snapshot's tree holds, in its order; folders that cannot be read are told where they stand. */
export async function* listTree(
  indexed: IndexedRepository,
  tree: Id,
  { directories = [], recursive = false, signal }: ListOptions = {},
): AsyncGenerator<EntryStep | ProblemStep, void, undefined> {
  const wanted = directories.map(withoutTrailingSlash);
  const isWithin = (path: PathText): boolean =>
    wanted.length === 0 || wanted.some((directory) => contains(directory, path));
  const leadsThere = (path: PathText): boolean =>
    wanted.length === 0 || wanted.some((directory) => contains(path, directory));

  const descend = (path: PathText): boolean => leadsThere(path) || (recursive && isWithin(path));
  for await (const step of walkTree(
    indexed,
    tree,
    signal === undefined ? { descend } : { descend, signal },
  )) {
    // A problem on the way there is the reason why nothing comes.
    if (step.kind === 'problem' || (step.kind === 'entry' && isWithin(step.path))) yield step;
  }
}

function withoutTrailingSlash(path: PathText): PathText {
  return path.replace(/\/+$/, '');
}

function contains(directory: PathText, path: PathText): boolean {
  return path.startsWith(directory) && (path.length === directory.length || path[directory.length] === '/');
}
