import type { Backend, ByteRange, FileStat, FileType, Handle, ListedFile } from '../backend.ts';
import { alreadyExists, notFound, requireRange, shortRead } from '../handle.ts';
import { belongsIn, pathOf } from '../layout.ts';

/** A repository's files by their path in the layout. Hand the same one to a second backend to open it again. */
export type MemoryFiles = Map<string, Uint8Array>;

export interface MemoryOptions {
  readonly files?: MemoryFiles;
  readonly connections?: number;
}

/** A repository in memory. Bytes are copied on the way in and out: what is stored changes under nobody. */
export function openMemory(options: MemoryOptions = {}): Backend {
  const files: MemoryFiles = options.files ?? new Map();
  const location = 'memory:';

  function find(handle: Handle): Uint8Array {
    const file = files.get(pathOf(handle));
    if (file === undefined) throw notFound(handle, location);
    return file;
  }

  return {
    location,
    connections: options.connections ?? 8,

    async save(handle: Handle, data: Uint8Array, signal?: AbortSignal): Promise<void> {
      signal?.throwIfAborted();
      const path = pathOf(handle);
      if (files.has(path)) throw alreadyExists(handle, location);
      files.set(path, new Uint8Array(data));
    },

    async load(handle: Handle, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
      signal?.throwIfAborted();
      const file = find(handle);
      if (range === undefined) return new Uint8Array(file);
      requireRange(range);
      const part = new Uint8Array(file.subarray(range.offset, range.offset + range.length));
      if (part.length < range.length) throw shortRead(handle, range, part.length, location);
      return part;
    },

    async stat(handle: Handle, signal?: AbortSignal): Promise<FileStat> {
      signal?.throwIfAborted();
      return { size: find(handle).length };
    },

    async *list(type: FileType, signal?: AbortSignal): AsyncGenerator<ListedFile> {
      signal?.throwIfAborted();
      for (const [path, file] of [...files]) {
        signal?.throwIfAborted();
        const slash = path.lastIndexOf('/');
        const directory = path.slice(0, Math.max(slash, 0));
        const name = path.slice(slash + 1);
        if (belongsIn(type, directory, name)) yield { name, size: file.length };
      }
    },

    async remove(handle: Handle, signal?: AbortSignal): Promise<void> {
      signal?.throwIfAborted();
      find(handle);
      files.delete(pathOf(handle));
    },

    async close(): Promise<void> {},
  };
}
