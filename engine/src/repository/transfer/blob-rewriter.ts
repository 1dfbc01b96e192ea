import type { Compressor } from '../../format/compressor.ts';
import type { Sealer } from '../../format/sealing.ts';
import type { BlobType, PackedBlob } from '../../format/types.ts';
import { isFailure } from '../../kernel/failure.ts';
import { sha256 } from '../../kernel/hash.ts';
import { bytesFromId } from '../../kernel/id.ts';
import { releaseMemory } from '../../kernel/released-memory.ts';
import type { Packer } from '../packer.ts';

export interface RewriterParts {
  /** Opens what the source has sealed. */
  readonly sealer: Sealer;
  readonly compressor: Pick<Compressor, 'decompress'>;
  /** Seals for the target. */
  readonly packer: Packer;
  /** Of the target's format. */
  readonly version: 1 | 2;
}

/**
 * Takes blobs as one repository keeps them and packs them for another, or for the same: authenticated, decrypted,
 * hashed, sealed anew. What is compressed stays as it is where the target's format knows that. Synchronous, for a
 * thread that does nothing else.
 */
export class BlobRewriter {
  readonly #parts: RewriterParts;

  constructor(parts: RewriterParts) {
    this.#parts = parts;
  }

  /** `bytes` begins at `offset` of the pack. Returns the positions of the blobs that are not what their ids say. */
  rewrite(blobs: readonly PackedBlob[], bytes: Uint8Array, offset: number): number[] {
    const damaged: number[] = [];
    for (const [position, blob] of blobs.entries()) {
      const start = blob.offset - offset;
      if (!this.#rewriteBlob(blob, bytes.subarray(start, start + blob.length))) damaged.push(position);
    }
    return damaged;
  }

  /** Packs a content that was verified elsewhere. */
  save(type: BlobType, content: Uint8Array): void {
    this.#parts.packer.save(type, content);
  }

  flush(): void {
    this.#parts.packer.flush();
  }

  #rewriteBlob({ type, id, uncompressedLength }: PackedBlob, sealed: Uint8Array): boolean {
    const { sealer, packer, version } = this.#parts;
    const stored = sealer.tryOpen(sealed);
    if (stored === undefined) return false;
    const content = uncompressedLength > 0 ? this.#decompressed(stored, uncompressedLength) : stored;
    const wanted = bytesFromId(id);
    const isRight = content !== undefined && sha256(content).equals(wanted);
    if (isRight) {
      if (content !== stored && version === 2) {
        packer.saveStored(type, wanted, stored, uncompressedLength);
      } else {
        packer.save(type, content, wanted);
      }
    }
    if (content !== undefined && content !== stored) releaseMemory(content);
    releaseMemory(stored);
    return isRight;
  }

  #decompressed(stored: Uint8Array, uncompressedLength: number): Buffer | undefined {
    try {
      return this.#parts.compressor.decompress(stored, uncompressedLength);
    } catch (error) {
      if (isFailure(error, 'repository.damaged')) return undefined;
      throw error;
    }
  }
}
