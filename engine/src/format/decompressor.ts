import { Failure } from '../kernel/failure.ts';
import { openZstdDecompressor, type ZstdDecompressor } from '../kernel/zstd.ts';
import { decompress } from './compression.ts';

/**
 * `decompress` for whoever has many blobs: one context and one buffer for all of them. What it returns is good until the
 * next call. Not for two threads.
 */
export class Decompressor {
  readonly #zstd: ZstdDecompressor | undefined = openZstdDecompressor();
  #buffer: Buffer<ArrayBuffer> = Buffer.allocUnsafeSlow(FIRST_BUFFER);

  /** The content of a compressed blob, exactly `uncompressedLength` bytes; else `repository.damaged`. */
  decompress(bytes: Uint8Array, uncompressedLength: number): Buffer {
    // A length that no honest blob has is not believed: memory is then taken as content arrives.
    if (this.#zstd === undefined || uncompressedLength > LARGEST_BUFFER)
      return decompress(bytes, uncompressedLength);
    if (this.#buffer.length < uncompressedLength) {
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(uncompressedLength, this.#buffer.length * 2));
    }
    const content = this.#buffer.subarray(0, uncompressedLength);
    if (this.#zstd.decompressInto(content, bytes) === uncompressedLength) return content;
    throw new Failure(
      'repository.damaged',
      `A compressed content is not the ${uncompressedLength} bytes that were promised.`,
    );
  }

  close(): void {
    this.#zstd?.close();
  }
}

const FIRST_BUFFER = 1024 * 1024;
/** Chunks end at 8 MiB with restic and with us. */
const LARGEST_BUFFER = 32 * 1024 * 1024;
