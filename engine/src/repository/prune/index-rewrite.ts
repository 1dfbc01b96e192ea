import {
  decodeIndexFile,
  encodeIndexFile,
  type IndexFile,
  type MarkedPack,
  MOST_INDEXED_BLOBS,
} from '../../format/index-file.ts';
import type { IndexedPack } from '../../format/types.ts';
import { mapConcurrently } from '../../kernel/concurrency.ts';
import type { Id } from '../../kernel/id.ts';
import type { IndexFileContents } from '../index.ts';
import type { Repository } from '../repository.ts';

/** What becomes of packs in the index; a pack that is in none of these stays named as it is. */
export interface IndexChange {
  /** No longer named at all. */
  readonly dropped: ReadonlySet<Id>;
  /** Named in use so far, and from now on as marked at `markTime`, RFC 3339. */
  readonly marked: ReadonlySet<Id>;
  readonly markTime: string;
  /** Marked so far, and in use from now on. */
  readonly unmarked: ReadonlySet<Id>;
  /** Packs that no index file named: marked without a word of what is in them. */
  readonly strays: readonly { readonly id: Id; readonly size: number }[];
}

/** Pure: the index files that say something else than they should. */
export function outdatedFiles(
  contents: ReadonlyMap<string, IndexFileContents>,
  { dropped, marked, unmarked }: IndexChange,
): string[] {
  const goes = (id: Id) => dropped.has(id) || marked.has(id);
  const changes = (id: Id) => goes(id) || unmarked.has(id);
  return [...contents]
    .filter(([, file]) => file.packs.some(goes) || file.marked.some(changes))
    .map(([name]) => name);
}

/**
 * Pure: the small index files, when there are enough of them that they are worth being one. A journal writes one for
 * each slice; all who open the repository read them all. No more than can be read in a moment, while others wait.
 */
export function filesToMerge(contents: ReadonlyMap<string, IndexFileContents>): string[] {
  const small = [...contents].filter(([, { blobs }]) => blobs < SMALL_BLOBS).map(([name]) => name);
  return small.length < WORTH_MERGING ? [] : small.slice(0, MOST_MERGED);
}

/**
 * Saves what outdated index files should say. They are not removed here: until the caller does, a pack that is marked
 * only by the new ones is still in use by the old ones, which counts. Only what changes is read and written.
 */
export async function rewriteIndex(
  repository: Repository,
  names: readonly string[],
  change: IndexChange,
  signal: AbortSignal,
): Promise<void> {
  const files = await mapConcurrently(names, repository.backend.connections, async (name) =>
    rewritten(decodeIndexFile(await repository.loadFile({ type: 'index', name }, signal)), change),
  );
  files.push({
    packs: [],
    packsToDelete: change.strays.map(({ id, size }) => ({ id, size, blobs: [], time: change.markTime })),
  });
  await mapConcurrently(joined(files), repository.backend.connections, (file) =>
    repository.saveFile('index', encodeIndexFile(file.packs, file.packsToDelete), signal),
  );
}

type Rewritten = Pick<IndexFile, 'packs' | 'packsToDelete'>;

function rewritten({ packs, packsToDelete }: IndexFile, change: IndexChange): Rewritten {
  const { dropped, marked, markTime, unmarked } = change;
  const mark = ({ id, blobs }: IndexedPack): MarkedPack => ({ id, blobs, time: markTime });
  const [toMark, inUse] = parted(packs, ({ id }) => marked.has(id));
  const [toUnmark, stillMarked] = parted(packsToDelete, ({ id }) => unmarked.has(id));
  return {
    packs: [
      ...inUse.filter(({ id }) => !dropped.has(id)),
      ...toUnmark.map(({ id, blobs }) => ({ id, blobs })),
    ],
    // A mark that was made before, and did not count, begins anew as well.
    packsToDelete: [
      ...toMark.map(mark),
      ...stillMarked
        .filter(({ id }) => !dropped.has(id))
        .map((old) => (marked.has(old.id) ? mark(old) : old)),
    ],
  };
}

/** In files of as many blobs as restic puts into one, and each pack's entry in one of them. */
function joined(files: readonly Rewritten[]): Rewritten[] {
  const all: { packs: IndexedPack[]; packsToDelete: MarkedPack[] }[] = [];
  let blobs = Number.POSITIVE_INFINITY;
  const roomFor = (pack: IndexedPack) => {
    if (blobs >= MOST_INDEXED_BLOBS) {
      all.push({ packs: [], packsToDelete: [] });
      blobs = 0;
    }
    // A pack without blobs takes room as well.
    blobs += Math.max(1, pack.blobs.length);
    return all.at(-1);
  };
  for (const { packs, packsToDelete } of files) {
    for (const pack of packs) roomFor(pack)?.packs.push(pack);
    for (const pack of packsToDelete) roomFor(pack)?.packsToDelete.push(pack);
  }
  return all;
}

function parted<Item>(items: readonly Item[], belongs: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(belongs), items.filter((item) => !belongs(item))];
}

const SMALL_BLOBS = MOST_INDEXED_BLOBS / 10;
const WORTH_MERGING = 20;
const MOST_MERGED = 1_000;
