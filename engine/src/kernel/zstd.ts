import { createRequire } from 'node:module';

/**
 * zstd with one context for many contents. node:zlib makes a new one for each, which costs five times as much as
 * decompressing 4 KiB. Not for two threads.
 */
export interface ZstdDecompressor {
  /** Decompresses one frame into `target`; the number of bytes, or undefined where `bytes` is none or does not fit. */
  decompressInto(target: Uint8Array, bytes: Uint8Array): number | undefined;
  close(): void;
}

/**
 * Calls the zstd that Node itself was built with: its functions are visible to native code like those of OpenSSL.
 * Undefined where they are not (a Node that was built otherwise), or where koffi, which makes the calls, is missing.
 */
export function openZstdDecompressor(): ZstdDecompressor | undefined {
  try {
    const library = (createRequire(import.meta.url)('koffi') as typeof import('koffi')).load(null);
    const create = library.func('void *ZSTD_createDCtx()');
    const free = library.func('size_t ZSTD_freeDCtx(void *context)');
    const isError = library.func('uint32_t ZSTD_isError(size_t code)');
    const decompress = library.func(
      'size_t ZSTD_decompressDCtx(void *context, void *target, size_t capacity, const void *source, size_t size)',
    );
    const context: unknown = create();
    return {
      decompressInto: (target, bytes) => {
        const result = decompress(context, target, target.length, bytes, bytes.length);
        // Errors are the last few numbers of 64 bits, which is more than a JavaScript number holds exactly.
        return Number(result) > target.length || isError(result) !== 0 ? undefined : Number(result);
      },
      close: () => {
        free(context);
      },
    };
  } catch {
    return undefined;
  }
}
