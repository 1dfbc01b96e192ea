import { posix } from 'node:path';
import { Failure } from '../../kernel/failure.ts';
import { type BytePath, joinPath, toText } from './byte-path.ts';
import type { GivenEntry } from './protocol.ts';

/** What a backup is asked for. All paths are byte strings; `path` is absolute. */
export interface Target {
  /** Where it stands in the snapshot, from the root. */
  readonly place: readonly string[];
  readonly path: BytePath;
}

/**
 * Resolves paths as restic does: an absolute path keeps all its components, a relative one those it was given with,
 * without leading `..`; of `.` and `..` the entries stand at the root (`listNames` reads them).
 */
export function resolveTargets(
  paths: readonly BytePath[],
  workingDirectory: BytePath,
  listNames: (path: BytePath) => readonly string[],
): Target[] {
  return paths.flatMap((given) => {
    const path = posix.resolve(workingDirectory, given);
    const place = posix
      .normalize(given)
      .split('/')
      .filter((part) => part !== '' && part !== '.' && part !== '..');
    if (place.length > 0) return [{ place, path }];
    return listNames(path).map((name) => ({ place: [name], path: joinPath(path, name) }));
  });
}

/** What a snapshot says that it is of: each path as it was asked for, absolute, whatever it was resolved to. */
export function snapshotPaths(paths: readonly BytePath[], workingDirectory: BytePath): string[] {
  return [...new Set(paths.map((given) => toText(posix.resolve(workingDirectory, given))))].sort();
}

/**
 * Puts targets into one tree. A target inside another one is part of that already. Throws `usage` when two different
 * places on disk would get one name in the snapshot.
 */
export function assembleTargets(targets: readonly Target[]): GivenEntry[] {
  const root: Level = new Map();
  for (const target of targets) insert(root, target, 0);
  return given(root);
}

type Level = Map<string, { readonly path: BytePath; below: Level | undefined }>;

function insert(level: Level, target: Target, depth: number): void {
  const name = target.place[depth] ?? '';
  const isLast = depth === target.place.length - 1;
  // Each level lies as many components above the target's path as the target's place goes on.
  const path = ancestor(target.path, target.place.length - 1 - depth);
  const there = level.get(name);
  if (there !== undefined && there.path !== path) {
    throw new Failure(
      'usage',
      `${toText(there.path)} and ${toText(path)} would have one name in the snapshot`,
      {
        subject: toText(name),
        hint: 'give both as absolute paths, or make two backups',
      },
    );
  }
  const entry = there ?? { path, below: isLast ? undefined : new Map() };
  level.set(name, entry);
  if (isLast) entry.below = undefined;
  else if (entry.below !== undefined) insert(entry.below, target, depth + 1);
}

function given(level: Level): GivenEntry[] {
  return Array.from(level, ([name, { path, below }]) => ({
    name,
    path,
    ...(below === undefined ? {} : { given: given(below) }),
  }));
}

function ancestor(path: BytePath, levels: number): BytePath {
  let result = path;
  for (let level = 0; level < levels; level += 1) result = posix.dirname(result);
  return result;
}
