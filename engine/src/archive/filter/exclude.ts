import type { NodeType } from '../../format/types.ts';
import { type PathText, pathBytes } from './path-text.ts';
import { compilePatterns } from './pattern.ts';

/** What to leave out of a backup, as plain data: it is posted to worker threads and compiled there. */
export interface SelectionRules {
  /** `--exclude`, then the lines of each `--exclude-file`: the order matters for those with `!`. */
  readonly patterns: readonly string[];
  /** The same of `--iexclude` and `--iexclude-file`, a list of its own. */
  readonly patternsIgnoringCase: readonly string[];
  /** A directory that holds one of these keeps nothing else. */
  readonly tagFiles: readonly TagFile[];
  /** Bytes; a file of exactly this size is kept. */
  readonly largerThan?: number;
  /** With `--one-file-system`: what is backed up, each with the device (st_dev) that it must not leave. */
  readonly roots?: readonly Root[];
}

export interface TagFile {
  readonly name: PathText;
  /** What the file has to begin with, as a path text; without it the name alone decides. */
  readonly header?: PathText;
}

export interface Root {
  /** Absolute and cleaned. */
  readonly path: PathText;
  readonly device: bigint;
}

/** One thing the scanner found, as lstat tells it. */
export interface SelectionEntry {
  readonly path: PathText;
  /** The last component of the path. */
  readonly name: PathText;
  readonly type: NodeType;
  /** Bytes. */
  readonly size: number;
  /** st_dev. */
  readonly device: bigint;
}

/** `mount-point`: the directory itself is kept, what is mounted there is not looked at. */
export type Decision = 'include' | 'mount-point' | { readonly exclude: ExcludeReason };

export type ExcludeReason = 'pattern' | 'tag-file' | 'size' | 'file-system';

export interface Selection {
  /** To look for in each directory with {@link tagsOf}. */
  readonly tagFiles: readonly TagFile[];
  /** Decides about one entry of a directory that was included itself; `tags` are those which hold in that directory. */
  decide(entry: SelectionEntry, tags?: readonly TagFile[]): Decision;
}

const NO_TAGS: readonly TagFile[] = [];
const INCLUDE: Decision = 'include';
const BY_PATTERN: Decision = { exclude: 'pattern' };
const BY_TAG_FILE: Decision = { exclude: 'tag-file' };
const BY_SIZE: Decision = { exclude: 'size' };
const BY_FILE_SYSTEM: Decision = { exclude: 'file-system' };

export function compileSelection(rules: SelectionRules): Selection {
  const exact = compilePatterns(rules.patterns);
  const ignoringCase = compilePatterns(rules.patternsIgnoringCase, { ignoreCase: true });
  const leavesDevice = compileRoots(rules.roots);
  const limit = rules.largerThan ?? Number.POSITIVE_INFINITY;
  return {
    tagFiles: rules.tagFiles,
    decide(entry, tags = NO_TAGS) {
      if (exact.matches(entry.path) || ignoringCase.matches(entry.path)) return BY_PATTERN;
      // A tag file itself stays, so that the restored directory is tagged as well.
      for (const tag of tags) if (tag.name !== entry.name) return BY_TAG_FILE;
      if (leavesDevice(entry)) return entry.type === 'dir' ? 'mount-point' : BY_FILE_SYSTEM;
      return entry.size > limit && entry.type !== 'dir' ? BY_SIZE : INCLUDE;
    },
  };
}

/** Which tag files hold in a directory, and which are there but begin otherwise or can't be read: worth a warning. */
export interface DirectoryTags {
  readonly holding: readonly TagFile[];
  readonly mistaken: readonly TagFile[];
}

/**
 * Looks for tag files in a directory's listing. `readStart` reads the first `length` bytes of the file of that name, or
 * fewer where it is shorter, or nothing where it can't be read.
 */
export function tagsOf(
  tagFiles: readonly TagFile[],
  names: readonly Buffer[],
  readStart: (name: Buffer, length: number) => Uint8Array | undefined,
): DirectoryTags {
  const holding: TagFile[] = [];
  const mistaken: TagFile[] = [];
  for (const tag of tagFiles) {
    const wanted = pathBytes(tag.name);
    const name = names.find((candidate) => candidate.equals(wanted));
    if (name === undefined) continue;
    const header = pathBytes(tag.header ?? '');
    const start = header.length === 0 ? header : readStart(name, header.length);
    if (start !== undefined && header.equals(start)) holding.push(tag);
    else mistaken.push(tag);
  }
  return { holding, mistaken };
}

/** An entry belongs to the nearest root above it: roots may lie in each other, on different devices. */
function compileRoots(roots: readonly Root[] | undefined): (entry: SelectionEntry) => boolean {
  const [first] = roots ?? [];
  if (roots === undefined || first === undefined) return () => false;
  if (roots.every((root) => root.device === first.device)) return (entry) => entry.device !== first.device;
  const nearestFirst = roots.toSorted((a, b) => b.path.length - a.path.length);
  return ({ path, device }) => {
    const root = nearestFirst.find((candidate) => isWithin(path, candidate.path));
    return root !== undefined && root.device !== device;
  };
}

function isWithin(path: PathText, root: PathText): boolean {
  return path === root || path.startsWith(root === '/' ? '/' : `${root}/`);
}
