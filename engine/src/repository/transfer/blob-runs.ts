import type { PackedBlob } from '../../format/types.ts';

/**
 * Cuts a pack's blobs, which come by offset, where the gap is not worth reading and where enough is read at once: of
 * the file, or of what it becomes when it is decompressed.
 */
export function runsOf(blobs: readonly PackedBlob[]): PackedBlob[][] {
  const runs: PackedBlob[][] = [];
  let content = 0;
  for (const blob of blobs) {
    const run = runs.at(-1);
    content += contentOf(blob);
    const joins =
      run !== undefined &&
      blob.offset - endOf(run) <= LARGEST_GAP &&
      blob.offset + blob.length - startOf(run) <= LONGEST_RUN &&
      content <= MOST_CONTENT;
    if (joins) {
      run.push(blob);
    } else {
      runs.push([blob]);
      content = contentOf(blob);
    }
  }
  return runs;
}

export function startOf(run: readonly PackedBlob[]): number {
  return run[0]?.offset ?? 0;
}

export function endOf(run: readonly PackedBlob[]): number {
  const last = run.at(-1);
  return last === undefined ? 0 : last.offset + last.length;
}

function contentOf({ length, uncompressedLength }: PackedBlob): number {
  return Math.max(length, uncompressedLength);
}

const MIB = 1024 * 1024;
/** Reading so much in vain costs less than another request to a place far away. */
const LARGEST_GAP = MIB;
/** A whole pack of the usual size, and a blob more than that. */
const LONGEST_RUN = 24 * MIB;
const MOST_CONTENT = 64 * MIB;
