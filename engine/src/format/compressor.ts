import { loadLibrary } from '../kernel/posix/library.ts';
import { type NativeZstd, openZstd } from '../kernel/posix/zstd.ts';
import {
  type CompressionMode,
  compressBlob,
  decompress,
  levelOf,
  looksIncompressible,
} from './compression.ts';
import type { BlobType } from './types.ts';

/**
 * Compresses and decompresses many blobs: one for each thread, which owns it and closes it. With the process's own zstd
 * where it can be reached, otherwise with node:zlib; what comes out is the same format.
 */
export interface Compressor {
  /**
   * As `compressBlob`, but what comes back may be overwritten by the next call: it is to be used up before.
   */
  compressBlob(type: BlobType, content: Uint8Array, mode: CompressionMode): Uint8Array | undefined;
  /** As `decompress`: exactly `uncompressedLength` bytes, in memory of their own, or `repository.damaged`. */
  decompress(bytes: Uint8Array, uncompressedLength: number): Buffer;
  close(): void;
}

export function openCompressor(): Compressor {
  const library = loadLibrary();
  const zstd = typeof library === 'string' ? undefined : openZstd(library);
  return zstd === undefined ? { compressBlob, decompress, close: () => undefined } : nativeCompressor(zstd);
}

function nativeCompressor(zstd: NativeZstd): Compressor {
  let scratch = Buffer.alloc(FIRST_SCRATCH);
  return {
    compressBlob: (type, content, mode) => {
      if (content.length === 0 || (mode === 'off' && type === 'data')) return undefined;
      const compress = (bytes: Uint8Array, level: number) => {
        // Room for the content itself is enough: what does not fit into it is not smaller, and stored as it is.
        if (scratch.length < bytes.length) scratch = Buffer.alloc(bytes.length);
        return zstd.compress(scratch.subarray(0, bytes.length), bytes, level);
      };
      if (mode === 'auto' && looksIncompressible(content, (sample) => compress(sample, levelOf('auto'))))
        return undefined;
      const length = compress(content, levelOf(mode));
      return length < 0 || length >= content.length ? undefined : scratch.subarray(0, length);
    },
    decompress: (bytes, uncompressedLength) => {
      // A length that no program writes is not believed: node:zlib takes memory only as real content arrives.
      if (uncompressedLength > LONGEST_BELIEVED) return decompress(bytes, uncompressedLength);
      const content = Buffer.allocUnsafeSlow(uncompressedLength);
      // Whatever is not right is tried once more there, which says what it is.
      return zstd.decompress(content, bytes) === uncompressedLength
        ? content
        : decompress(bytes, uncompressedLength);
    },
    close: () => zstd.close(),
  };
}

const FIRST_SCRATCH = 1024 * 1024;
const LONGEST_BELIEVED = 64 * 1024 * 1024;
