import { parseTime } from '../format/go-time.ts';
import type { Node, StoredSnapshot } from '../format/types.ts';
import { Failure } from '../kernel/failure.ts';
import { type Id, shortId } from '../kernel/id.ts';
import { printableName } from '../kernel/printable-name.ts';
import { FORGOTTEN_TAG, isRecord } from './forgotten/record.ts';
import type { IndexedRepository } from './indexed-repository.ts';

/**
 * Which snapshots count. What is absent or empty does not narrow; but records of what was forgotten count only when
 * their tag is asked for: they are no points to restore from.
 */
export interface SnapshotFilter {
  /** Taken on any of these. */
  readonly hosts?: readonly string[];
  /** Carrying all tags of at least one of these lists; an empty list means snapshots without tags. */
  readonly tags?: readonly (readonly string[])[];
  /** Made of all of these paths, and maybe others. */
  readonly paths?: readonly string[];
}

/** What a person typed to name a snapshot, taken apart: `latest~2:/home/ann`. */
export interface SnapshotReference {
  /** A full id, the beginning of one, `latest`, or `latest~N`. */
  readonly selector: string;
  /** The names of the folders on the way down, none for the snapshot's root. */
  readonly folder: readonly string[];
}

/** How many candidates an ambiguous prefix names. */
const CANDIDATES_SHOWN = 5;

/** The lists of `--tag a,b --tag c`: a and b together, or c. */
export function parseTagLists(flags: readonly string[]): string[][] {
  return flags.map((flag) =>
    flag
      .split(',')
      .map((tag) => tag.trim())
      .filter((tag) => tag !== ''),
  );
}

export function parseSnapshotReference(text: string): SnapshotReference {
  const colon = text.indexOf(':');
  const selector = colon < 0 ? text : text.slice(0, colon);
  return { selector, folder: colon < 0 ? [] : folderNames(text.slice(colon + 1)) };
}

/** The names in a path inside a snapshot; `..` goes up as far as the root, as in a shell. */
export function folderNames(path: string): string[] {
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return names;
}

export function filterSnapshots(
  snapshots: readonly StoredSnapshot[],
  { hosts = [], tags = [], paths = [] }: SnapshotFilter,
): StoredSnapshot[] {
  return snapshots.filter(
    (snapshot) =>
      (!isRecord(snapshot) || tags.flat().includes(FORGOTTEN_TAG)) &&
      (hosts.length === 0 || hosts.includes(snapshot.hostname)) &&
      (tags.length === 0 || tags.some((list) => hasTags(snapshot, list))) &&
      paths.every((path) => snapshot.paths.includes(path)),
  );
}

/**
 * The one snapshot among those that pass the filter which `selector` names. Throws `snapshot.not-found`, and
 * `snapshot.ambiguous` for the beginning of several ids.
 */
export function selectSnapshot(
  snapshots: readonly StoredSnapshot[],
  selector: string,
  filter: SnapshotFilter = {},
): StoredSnapshot {
  const candidates = filterSnapshots(snapshots, filter);
  const back = /^latest(?:~(\d{1,9}))?$/.exec(selector);
  if (back !== null) return nthLatest(candidates, Number(back[1] ?? 0), selector, snapshots.length);

  const prefix = selector.toLowerCase();
  if (!/^[0-9a-f]{1,64}$/.test(prefix)) {
    throw new Failure('snapshot.not-found', `“${printableName(selector)}” names no snapshot.`, {
      subject: printableName(selector),
      hint: 'Write the beginning of its id, latest, or latest~1 for the one before.',
    });
  }
  const [only, ...others] = candidates.filter((snapshot) => snapshot.id.startsWith(prefix));
  if (only === undefined) throw nothingBeginsWith(prefix, snapshots);
  if (others.length > 0) throw ambiguous(prefix, [only, ...others]);
  return only;
}

/**
 * The tree that a reference's folder leads to, read from the repository. Names are compared as bytes, those of
 * `folder` in UTF-8. Throws `snapshot.path-not-found`, also where the way leads through something that is no folder.
 */
export async function resolveFolder(
  indexed: IndexedRepository,
  tree: Id,
  folder: readonly (string | Uint8Array)[],
  signal?: AbortSignal,
): Promise<Id> {
  if (folder.length === 0) return tree;
  const node = await resolveNode(indexed, tree, folder, signal);
  if (node.type === 'dir' && node.subtree !== undefined) return node.subtree;
  throw noSuchPath(folder, `is a ${node.type}, no folder`);
}

/** The node at the end of a way that has at least one name. Throws as {@link resolveFolder}. */
export async function resolveNode(
  indexed: IndexedRepository,
  tree: Id,
  names: readonly (string | Uint8Array)[],
  signal?: AbortSignal,
): Promise<Node> {
  let at: Id = tree;
  let node: Node | undefined;
  for (const [depth, name] of names.entries()) {
    const wanted = typeof name === 'string' ? Buffer.from(name) : name;
    const { nodes } = await indexed.loadTree(at, signal);
    node = nodes.find((entry) => entry.name.equals(wanted));
    const way = names.slice(0, depth + 1);
    if (node === undefined) throw noSuchPath(way, 'is not in this snapshot');
    if (depth === names.length - 1) break;
    if (node.type !== 'dir' || node.subtree === undefined) {
      throw noSuchPath(way, `is a ${node.type}, no folder`);
    }
    at = node.subtree;
  }
  if (node === undefined) throw noSuchPath(names, 'is not in this snapshot');
  return node;
}

function hasTags(snapshot: StoredSnapshot, list: readonly string[]): boolean {
  return list.length === 0 ? snapshot.tags.length === 0 : list.every((tag) => snapshot.tags.includes(tag));
}

function nthLatest(
  candidates: readonly StoredSnapshot[],
  back: number,
  selector: string,
  total: number,
): StoredSnapshot {
  const chosen = candidates.toSorted(newestFirst)[back];
  if (chosen !== undefined) return chosen;
  const count = candidates.length;
  const amount = count === 1 ? 'is only one' : count === 0 ? 'is none' : `are only ${count}`;
  throw new Failure('snapshot.not-found', `There is no ${selector}: there ${amount} that would fit.`, {
    subject: selector,
    hint:
      total > count
        ? `The repository has ${total} in all: check the host, tags and paths that were asked for.`
        : 'holdfast points shows what there is.',
  });
}

/** Times can be equal to the nanosecond where a program wrote them; the id then decides, so that the order is one. */
function newestFirst(a: StoredSnapshot, b: StoredSnapshot): number {
  const [timeOfA, timeOfB] = [parseTime(a.time), parseTime(b.time)];
  if (timeOfA !== timeOfB) return timeOfA > timeOfB ? -1 : 1;
  return a.id < b.id ? 1 : -1;
}

function nothingBeginsWith(prefix: string, snapshots: readonly StoredSnapshot[]): Failure {
  const filtered = snapshots.some((snapshot) => snapshot.id.startsWith(prefix));
  return new Failure(
    'snapshot.not-found',
    filtered
      ? `Snapshot ${prefix} is not among those of the host, tags and paths that were asked for.`
      : `No snapshot's id begins with ${prefix}.`,
    { subject: prefix, hint: 'holdfast points shows what there is.' },
  );
}

function ambiguous(prefix: string, candidates: readonly StoredSnapshot[]): Failure {
  const named = candidates
    .slice(0, CANDIDATES_SHOWN)
    .map((snapshot) => `${shortId(snapshot.id)} (${snapshot.time.slice(0, 10)})`)
    .join(', ');
  const more =
    candidates.length > CANDIDATES_SHOWN ? ` and ${candidates.length - CANDIDATES_SHOWN} more` : '';
  return new Failure(
    'snapshot.ambiguous',
    `The ids of ${candidates.length} snapshots begin with ${prefix}: ${named}${more}.`,
    { subject: prefix, hint: 'Write more digits of the one that is meant.' },
  );
}

function noSuchPath(names: readonly (string | Uint8Array)[], what: string): Failure {
  const path = printableName(`/${names.map((name) => Buffer.from(name).toString()).join('/')}`);
  return new Failure('snapshot.path-not-found', `${path} ${what}.`, {
    subject: path,
    hint: 'holdfast repo ls shows what the snapshot holds.',
  });
}
