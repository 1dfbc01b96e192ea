import type { Node, StoredSnapshot } from '../../format/types.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import type { PathText } from '../filter/path-text.ts';
import { compilePatterns } from '../filter/pattern.ts';
import { type SearchResult, searchSnapshots } from './snapshot-search.ts';

/** Nodes whose path, or a folder above it, matches a pattern, and whose content was last modified within the bounds. */
export interface NameQuery {
  /** With the meaning that they have as excludes; a malformed one is a `usage` failure. */
  readonly patterns: readonly string[];
  readonly ignoreCase?: boolean;
  /** Nanoseconds since 1970, both included. */
  readonly oldest?: bigint;
  readonly newest?: bigint;
}

export interface FoundNode {
  readonly path: PathText;
  readonly node: Node;
}

/** Searches the snapshots in the order given, and tells of each, also where nothing was found. */
export function findNames(
  indexed: IndexedRepository,
  snapshots: Iterable<StoredSnapshot>,
  { patterns, ignoreCase = false, oldest, newest }: NameQuery,
  signal?: AbortSignal,
): AsyncGenerator<SearchResult<FoundNode>, void, undefined> {
  const matcher = compilePatterns(patterns, { ignoreCase });
  const search = {
    descend: (path: PathText): boolean => matcher.childMayMatch(path),
    inspect: ({ path, node }: FoundNode): FoundNode[] => {
      const tooOld = oldest !== undefined && node.mtime < oldest;
      const tooNew = newest !== undefined && node.mtime > newest;
      return tooOld || tooNew || !matcher.matches(path) ? [] : [{ path, node }];
    },
  };
  return searchSnapshots(indexed, snapshots, search, signal);
}
