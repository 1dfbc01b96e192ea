import { Failure } from '../kernel/failure.ts';
import { type Chunker, MAX_CHUNK } from './chunker.ts';

/** Below this the index costs more than what a smaller chunk saves. */
const SMALLEST = 64 * 1024;
/** Worth sending to another thread, and small enough to be still in the processor's cache there. */
const MESSAGE = 1024 * 1024;

/**
 * A chunker that cuts every `size` bytes (64 KiB to 8 MiB), for files that are rewritten in place and never shift:
 * a database's pages, a disk image. A changed page then changes exactly one chunk. Choose a multiple of the page size.
 */
export function createFixedChunker(size: number, capacity: number = Math.max(size, MESSAGE)): Chunker {
  if (size < SMALLEST || size > MAX_CHUNK || !Number.isInteger(size) || capacity < size) {
    throw new Failure(
      'internal',
      `A file cannot be cut every ${size} bytes in a memory of ${capacity} bytes.`,
    );
  }
  return {
    memory: new Uint8Array(capacity),
    cut(start, end, final) {
      if (end - start >= size) return start + size;
      return final && end > start ? end : 0;
    },
  };
}
