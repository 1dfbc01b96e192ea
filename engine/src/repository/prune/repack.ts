import type { PackedBlob } from '../../format/types.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Id } from '../../kernel/id.ts';
import { Index } from '../index.ts';
import type { IndexedRepository } from '../indexed-repository.ts';
import { BlobMover } from '../transfer/blob-mover.ts';

export interface RepackOptions {
  readonly clock: Clock;
  readonly packSize: number;
  /** Of all the given blobs. */
  readonly bytes: number;
  /** Bytes of needed blobs done so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
  readonly signal: AbortSignal;
}

/**
 * Writes the given blobs of packs into new packs and names those in new index files. Each blob is authenticated and
 * hashed on the way; one that is damaged is taken from another of its places, and without one the call fails. It removes
 * nothing.
 */
export async function repack(
  indexed: IndexedRepository,
  parts: readonly { readonly pack: Id; readonly blobs: readonly PackedBlob[] }[],
  options: RepackOptions,
): Promise<void> {
  if (parts.length === 0) return;
  let done = 0;
  // A table of its own: in the repository's all these blobs are there already.
  const mover = new BlobMover(indexed, indexed.repository, Index.empty(), {
    ...options,
    onLost: (_, why) => {
      throw why;
    },
    onMoved: (bytes) => {
      done += bytes;
      options.onProgress?.(done);
    },
  });
  try {
    await mover.move(parts);
    await mover.finish();
  } finally {
    await mover.stop();
  }
}
