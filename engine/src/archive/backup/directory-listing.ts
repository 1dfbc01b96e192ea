import {
  type BigIntStats,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
} from 'node:fs';
import type { NodeType } from '../../format/types.ts';
import type { Selection, SelectionEntry } from '../filter/exclude.ts';
import { tagsOf } from '../filter/exclude.ts';
import { pathText } from '../filter/path-text.ts';
import { type BytePath, joinPath, toBytes, toSystemPath } from './byte-path.ts';
import { EntryList, type SeenEntry } from './entry-list.ts';
import { nodeType } from './node-builder.ts';
import type { GivenEntry } from './protocol.ts';

/** One directory as it is to be saved: its chosen entries, and where each is on disk. */
export interface Listing {
  readonly entries: EntryList;
  pathOf(index: number): BytePath;
  /** The assembled level below an entry, if there is one. */
  givenBelow(index: number): readonly GivenEntry[] | undefined;
  /** Directories on another file system: saved, but not looked into. */
  readonly mountPoints: ReadonlySet<number>;
}

export interface ListingRules {
  readonly selection: Selection;
  readonly withAtime: boolean;
  readonly problem: (path: BytePath, error: unknown) => void;
}

/**
 * Reads a directory. Sockets are left out, as restic does: only the program that listens can bring one back. Throws
 * Node's errno errors when the directory itself cannot be read.
 */
export function listDirectory(path: BytePath, rules: ListingRules): Listing {
  // One character a byte: sorting such strings sorts bytes, which is the order of a tree.
  const names = readdirSync(toSystemPath(path), 'latin1').sort();
  const { selection } = rules;
  const tags = selection.tagFiles.length === 0 ? undefined : holdingTags(path, names, selection);
  const seen: SeenEntry[] = [];
  const mountPoints = new Set<number>();
  for (const name of names) {
    const entryPath = joinPath(path, name);
    const stat = look(entryPath, lstatSync, rules);
    if (stat === undefined || typeOf(stat.mode) === 'socket') continue;
    const decision = selection.decide(describe(entryPath, name, stat), tags);
    if (typeof decision === 'object') continue;
    if (decision === 'mount-point') mountPoints.add(seen.length);
    seen.push({ name, stat });
  }
  return {
    entries: EntryList.of(seen, rules.withAtime),
    pathOf: (index) => joinPath(path, seen[index]?.name ?? ''),
    givenBelow: () => undefined,
    mountPoints,
  };
}

/**
 * Looks at the entries of an assembled level. Their names are sorted here. What lies on the way to a target is the
 * directory that the path leads through, even if a symlink leads there; a target itself is taken as it is.
 */
export function listGiven(given: readonly GivenEntry[], rules: ListingRules): Listing {
  const seen: (SeenEntry & { readonly given: GivenEntry })[] = [];
  for (const entry of given.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const isTarget = entry.given === undefined;
    const stat = look(entry.path, isTarget ? lstatSync : statSync, rules);
    if (stat === undefined || typeOf(stat.mode) === 'socket') continue;
    if (isTarget && typeof rules.selection.decide(describe(entry.path, entry.name, stat)) === 'object')
      continue;
    seen.push({ name: entry.name, stat, given: entry });
  }
  return {
    entries: EntryList.of(seen, rules.withAtime),
    pathOf: (index) => seen[index]?.given.path ?? '',
    givenBelow: (index) => seen[index]?.given.given,
    mountPoints: new Set(),
  };
}

function look(path: BytePath, stat: typeof lstatSync | typeof statSync, rules: ListingRules) {
  try {
    return stat(toSystemPath(path), { bigint: true });
  } catch (error) {
    rules.problem(path, error);
    return undefined;
  }
}

function holdingTags(path: BytePath, names: readonly string[], selection: Selection) {
  const readStart = (name: Buffer, length: number) =>
    readPrefix(joinPath(path, name.toString('latin1')), length);
  return tagsOf(selection.tagFiles, names.map(toBytes), readStart).holding;
}

function readPrefix(path: BytePath, length: number): Buffer | undefined {
  try {
    const file = openSync(
      toSystemPath(path),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    try {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(file, bytes, 0, length, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    // A tag that cannot be read does not hold: what it would have left out is backed up.
    return undefined;
  }
}

function describe(path: BytePath, name: BytePath, { mode, size, dev }: BigIntStats): SelectionEntry {
  return { path: asText(path), name: asText(name), type: typeOf(mode), size: Number(size), device: dev };
}

function asText(path: BytePath): string {
  const system = toSystemPath(path);
  return typeof system === 'string' ? system : pathText(system);
}

function typeOf(mode: bigint): NodeType {
  return nodeType(Number(mode)) ?? 'socket';
}
