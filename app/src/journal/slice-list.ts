import { Failure, type Id, type IndexedRepository, type Node, type StoredSnapshot } from '@holdfast/engine';
import { JOURNAL_TAG, type JournalPlace, LEVELS, type Level } from './slice.ts';

/** A slice as it lies in the repository. */
export interface StoredSlice {
  readonly id: Id;
  readonly level: Level;
  readonly tree: Id;
  /** Of the last byte in it, milliseconds since the epoch. */
  readonly time: number;
  readonly tags: readonly string[];
  readonly files: readonly Node[];
}

/** The slices of one journal, oldest first, with what is really in them. */
export async function listSlices(
  indexed: IndexedRepository,
  snapshots: readonly StoredSnapshot[],
  place: JournalPlace,
  signal?: AbortSignal,
): Promise<StoredSlice[]> {
  const slices: StoredSlice[] = [];
  for (const snapshot of snapshots) {
    const level = LEVELS.find((name) => snapshot.tags.includes(name));
    const ours = [JOURNAL_TAG, place.source].every((tag) => snapshot.tags.includes(tag));
    if (level === undefined || !ours) continue;
    const files = await filesBelow(indexed, snapshot.tree, place.directory, signal);
    if (files === undefined) continue;
    slices.push({
      id: snapshot.id,
      tree: snapshot.tree,
      level,
      time: Date.parse(snapshot.time),
      tags: snapshot.tags,
      files,
    });
  }
  return slices.sort((a, b) => a.time - b.time);
}

/** The value of a slice's tag `name:value`. */
export function tagValue(slice: Pick<StoredSlice, 'tags'>, name: string): string | undefined {
  return slice.tags.find((tag) => tag.startsWith(`${name}:`))?.slice(name.length + 1);
}

/** Undefined where the tree leads elsewhere: another server's journal. */
async function filesBelow(
  indexed: IndexedRepository,
  root: Id,
  directory: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly Node[] | undefined> {
  let tree = root;
  for (const name of directory) {
    const { nodes } = await indexed.loadTree(tree, signal);
    const next = nodes.find((node) => node.name.toString() === name)?.subtree;
    if (next === undefined) return undefined;
    tree = next;
  }
  const { nodes } = await indexed.loadTree(tree, signal);
  if (nodes.every(({ type }) => type === 'file')) return nodes;
  throw new Failure(
    'repository.damaged',
    `a journal has something that is no file in /${directory.join('/')}`,
  );
}
