import type { Node, StoredSnapshot } from '../../format/types.ts';
import type { Finding } from '../../kernel/finding.ts';
import type { Id } from '../../kernel/id.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import type { PathText } from '../filter/path-text.ts';
import { type EntryStep, isFollowed, walkTree } from './tree-walk.ts';

/** What a search found in one snapshot. */
export interface SearchResult<Match> {
  readonly snapshot: StoredSnapshot;
  readonly matches: readonly Match[];
  /** Folders that could not be read: there may be matches in them. */
  readonly problems: readonly Finding[];
}

export interface Search<Match> {
  readonly descend: (path: PathText, node: Node) => boolean;
  /** What an entry gives; for the same entry at the same path always the same. */
  readonly inspect: (entry: EntryStep) => readonly Match[];
}

/**
 * Matches and problems that are remembered, over all trees, so that a search which finds everything does not hold
 * everything: beyond it trees are read anew. A tree in which nothing was found costs no more than its id and path.
 */
const REMEMBERED = 200_000;

/**
 * Searches each snapshot in turn. A tree that was searched at the same path before is not walked again: a hundred
 * snapshots of one tree cost one walk.
 */
export async function* searchSnapshots<Match>(
  indexed: IndexedRepository,
  snapshots: Iterable<StoredSnapshot>,
  search: Search<Match>,
  signal?: AbortSignal,
): AsyncGenerator<SearchResult<Match>, void, undefined> {
  const memory = new SearchMemory<Match>();
  for (const snapshot of snapshots) {
    const known = memory.recall('', snapshot.tree);
    yield { snapshot, ...(known ?? (await searchTree(indexed, snapshot.tree, { search, memory, signal }))) };
  }
}

interface Found<Match> {
  readonly matches: readonly Match[];
  readonly problems: readonly Finding[];
}

interface TreeSearch<Match> {
  readonly search: Search<Match>;
  readonly memory: SearchMemory<Match>;
  readonly signal: AbortSignal | undefined;
}

async function searchTree<Match>(
  indexed: IndexedRepository,
  tree: Id,
  { search, memory, signal }: TreeSearch<Match>,
): Promise<Found<Match>> {
  const matches: Match[] = [];
  const problems: Finding[] = [];
  const isSearched = (path: PathText, node: Node): boolean => isFollowed(node) && search.descend(path, node);
  const descend = (path: PathText, node: Node): boolean =>
    isSearched(path, node) && memory.recall(path, node.subtree as Id) === undefined;

  /** Where in the two lists each directory that is being walked began. */
  const began = [{ matches: 0, problems: 0 }];
  for await (const step of walkTree(
    indexed,
    tree,
    signal === undefined ? { descend } : { descend, signal },
  )) {
    if (step.kind === 'problem') {
      problems.push(step.problem);
    } else if (step.kind === 'left') {
      const from = began.pop() ?? { matches: 0, problems: 0 };
      memory.keep(step.path, step.tree, {
        matches: matches.slice(from.matches),
        problems: problems.slice(from.problems),
      });
    } else {
      for (const match of search.inspect(step)) matches.push(match);
      if (!isSearched(step.path, step.node)) continue;
      const known = memory.recall(step.path, step.node.subtree as Id);
      if (known === undefined) began.push({ matches: matches.length, problems: problems.length });
      for (const match of known?.matches ?? []) matches.push(match);
      for (const problem of known?.problems ?? []) problems.push(problem);
    }
  }
  return { matches, problems };
}

/**
 * What is known is never forgotten or replaced: the walk asks for it some steps before the search does, and both must
 * hear the same.
 */
class SearchMemory<Match> {
  readonly #found = new Map<string, Found<Match>>();
  readonly #nothing: Found<Match> = { matches: [], problems: [] };
  #held = 0;

  recall(path: PathText, tree: Id): Found<Match> | undefined {
    return this.#found.get(tree + path);
  }

  keep(path: PathText, tree: Id, found: Found<Match>): void {
    const size = found.matches.length + found.problems.length;
    if (this.#held + size > REMEMBERED) return;
    this.#held += size;
    this.#found.set(tree + path, size === 0 ? this.#nothing : found);
  }
}
