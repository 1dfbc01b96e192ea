import type { PackedBlob, StoredSnapshot } from '../../format/types.ts';
import type { Id } from '../../kernel/id.ts';
import type { BlobKey } from '../../repository/check/ledger.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import type { PackPart } from '../../repository/transfer/blob-mover.ts';
import { CopySurvey, type SurveyOptions } from './copy-survey.ts';

/** What is to be copied, in the order in which it is done. */
export interface CopyPlan {
  readonly batches: readonly CopyBatch[];
  /** What the target lacks: blobs, and their bytes as the source keeps them. */
  readonly blobs: number;
  readonly bytes: number;
  /** What snapshots need, the target lacks, and the source cannot give. */
  readonly lost: ReadonlySet<BlobKey>;
}

/** Snapshots that are saved together, when all that they need is there. */
export interface CopyBatch {
  readonly snapshots: readonly StoredSnapshot[];
  /** The packs' blobs that no batch before has brought. */
  parts(): Iterable<PackPart>;
}

/** Finds out what the target lacks of the snapshots. */
export async function planCopy(
  source: IndexedRepository,
  target: IndexedRepository,
  snapshots: readonly StoredSnapshot[],
  options: SurveyOptions,
): Promise<CopyPlan> {
  const survey = new CopySurvey(source, target, options);
  const reached: Reached[] = [];
  const most = source.repository.backend.connections;
  let atOnce = 1;
  for (let next = 0; next < snapshots.length; ) {
    const group = snapshots.slice(next, next + atOnce);
    const before = survey.bytes;
    await survey.add(group);
    reached.push({ snapshots: group, blobs: survey.entries.length, bytes: survey.bytes });
    next += group.length;
    // What is looked at together is saved together: only as many as bring little.
    atOnce = survey.bytes - before < BYTES_OF_A_BATCH ? Math.min(atOnce * 2, most) : 1;
  }
  const { entries, bytes, lost } = survey;
  const batches = [...batchesOf(reached, (from, to) => partsOf(source, entries.slice(from, to)))];
  return { batches, blobs: entries.length, bytes, lost };
}

/** What the target lacks of these snapshots and of all before them. */
interface Reached {
  readonly snapshots: readonly StoredSnapshot[];
  readonly blobs: number;
  readonly bytes: number;
}

/**
 * Small snapshots, such as a journal's slices, share their packs and an index file; a large one is saved as soon as it
 * is there.
 */
function* batchesOf(
  reached: readonly Reached[],
  parts: (from: number, to: number) => Iterable<PackPart>,
): Generator<CopyBatch> {
  let snapshots: StoredSnapshot[] = [];
  let start = { blobs: 0, bytes: 0 };
  for (const [at, end] of reached.entries()) {
    snapshots.push(...end.snapshots);
    if (end.bytes - start.bytes < BYTES_OF_A_BATCH && at < reached.length - 1) continue;
    const [from, to] = [start.blobs, end.blobs];
    yield { snapshots, parts: () => parts(from, to) };
    snapshots = [];
    start = end;
  }
}

const BYTES_OF_A_BATCH = 256 * 1024 * 1024;

/** Blobs by pack, and in a pack by offset: read once, from the beginning to the end. */
function* partsOf({ index }: IndexedRepository, entries: readonly number[]): Generator<PackPart> {
  const { table, packs } = index;
  const sorted = entries.toSorted(
    (a, b) => table.packOf(a) - table.packOf(b) || table.offsetOf(a) - table.offsetOf(b),
  );
  for (let start = 0; start < sorted.length; ) {
    const number = table.packOf(sorted[start] as number);
    let end = start;
    while (end < sorted.length && table.packOf(sorted[end] as number) === number) end += 1;
    const blobs = sorted.slice(start, end).map(
      (entry): PackedBlob => ({
        type: table.typeOf(entry),
        id: table.idOf(entry),
        offset: table.offsetOf(entry),
        length: table.lengthOf(entry),
        uncompressedLength: table.uncompressedLengthOf(entry),
      }),
    );
    yield { pack: packs[number] as Id, blobs };
    start = end;
  }
}
