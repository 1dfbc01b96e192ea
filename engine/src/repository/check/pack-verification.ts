import type { Compressor } from '../../format/compressor.ts';
import { decodeHeader, headerLengthOf, TRAILER_LENGTH } from '../../format/pack.ts';
import type { Sealer } from '../../format/sealing.ts';
import type { PackedBlob } from '../../format/types.ts';
import { isFailure } from '../../kernel/failure.ts';
import { sha256Id } from '../../kernel/hash.ts';
import type { Id } from '../../kernel/id.ts';
import { releaseMemory } from '../../kernel/released-memory.ts';

/** What reading one pack in full showed. Empty of faults when all is well. */
export interface PackVerdict {
  /** The file's content is not the one that its name stands for. */
  readonly renamed: boolean;
  /** What is wrong with the header or with the index that should agree with it, as the end of a sentence. */
  readonly header?: string;
  readonly damaged: readonly DamagedBlob[];
}

export interface DamagedBlob {
  readonly blob: PackedBlob;
  /** The end of a sentence about the blob. */
  readonly why: string;
}

/** What opens blobs, one for each thread. */
export interface BlobOpeners {
  readonly sealer: Sealer;
  readonly compressor: Pick<Compressor, 'decompress'>;
}

/** Pure: holds a pack's file against its name and against the blobs that the index says it has, by offset. */
export function verifyPack(
  name: Id,
  bytes: Uint8Array,
  blobs: readonly PackedBlob[],
  openers: BlobOpeners,
): PackVerdict {
  const damaged: DamagedBlob[] = [];
  for (const blob of blobs) {
    const why = verifyBlob(bytes, blob, openers);
    if (why !== undefined) damaged.push({ blob, why });
  }
  const header = verifyHeader(bytes, blobs, openers.sealer);
  return { renamed: sha256Id(bytes) !== name, damaged, ...(header === undefined ? {} : { header }) };
}

function verifyBlob(
  bytes: Uint8Array,
  blob: PackedBlob,
  { sealer, compressor }: BlobOpeners,
): string | undefined {
  const end = blob.offset + blob.length;
  if (end > bytes.length) return 'lies beyond the end of the file';
  const stored = sealer.tryOpen(bytes.subarray(blob.offset, end));
  if (stored === undefined) return 'does not match its authentication code';
  try {
    const { uncompressedLength } = blob;
    const content = uncompressedLength > 0 ? compressor.decompress(stored, uncompressedLength) : stored;
    const id = sha256Id(content);
    if (content !== stored) releaseMemory(content);
    // The seal was right: whoever wrote it sealed the wrong bytes, as broken memory does.
    return id === blob.id ? undefined : 'does not have the content that its id says';
  } catch (error) {
    if (!isFailure(error)) throw error;
    return 'cannot be decompressed';
  } finally {
    releaseMemory(stored);
  }
}

function verifyHeader(bytes: Uint8Array, blobs: readonly PackedBlob[], sealer: Sealer): string | undefined {
  const end = Math.max(0, bytes.length - TRAILER_LENGTH);
  try {
    const length = headerLengthOf(bytes.subarray(end), bytes.length);
    const opened = sealer.tryOpen(bytes.subarray(end - length, end));
    if (opened === undefined) return 'its header does not match its authentication code';
    return disagreement(decodeHeader(opened), blobs);
  } catch (error) {
    if (!isFailure(error)) throw error;
    return 'its header cannot be read';
  }
}

function disagreement(header: readonly PackedBlob[], index: readonly PackedBlob[]): string | undefined {
  if (header.length !== index.length) {
    return `its header names ${header.length} blobs and the index ${index.length}`;
  }
  const different = header.findIndex((blob, at) => !isSame(blob, index[at]));
  return different < 0 ? undefined : `its header and the index disagree about blob ${different + 1}`;
}

function isSame(a: PackedBlob, b: PackedBlob | undefined): boolean {
  return (
    b !== undefined &&
    a.id === b.id &&
    a.type === b.type &&
    a.offset === b.offset &&
    a.length === b.length &&
    a.uncompressedLength === b.uncompressedLength
  );
}
