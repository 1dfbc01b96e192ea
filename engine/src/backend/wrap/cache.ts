import type { Clock } from '../../kernel/clock.ts';
import type { Backend, Handle, ListedFile } from '../backend.ts';
import { CACHED_TYPES, CachedFiles, type CachedType } from './cache/cached-files.ts';
import { openCacheDirectory } from './cache/idle-caches.ts';

export interface CacheOptions {
  readonly clock: Clock;
  /** The user's, with the caches of all repositories in it. */
  readonly directory: string;
  /** The repository's, from its config. */
  readonly repositoryId: string;
  /** Bytes; 4 GiB unless said otherwise. */
  readonly capacity?: number;
}

/**
 * Keeps what describes a repository on this machine: index files, snapshots and packs of trees. They are immutable and
 * named by their hash, so a copy is as good as the file, and proved on every read. Whether a file is still there only
 * the repository knows: lists, `stat` and everything that is written go there, and whoever loads has the name from a
 * list. A complete list tells which copies can go.
 *
 * Not for whoever checks the repository: a good copy would hide a damaged file.
 */
export function cache(inner: Backend, options: CacheOptions): Backend {
  const { clock, capacity = DEFAULT_CAPACITY } = options;
  const directory = openCacheDirectory(options.directory, options.repositoryId, clock);
  const files = new CachedFiles(directory, { clock, capacity });

  return {
    ...inner,

    async save(handle, data, signal) {
      await inner.save(handle, data, signal);
      if (isCached(handle)) files.write(handle, data);
    },

    async load(handle, range, signal) {
      signal?.throwIfAborted();
      if (range !== undefined || !isCached(handle)) return await inner.load(handle, range, signal);
      const copy = files.read(handle);
      if (copy !== undefined) return copy;
      const bytes = await inner.load(handle, undefined, signal);
      files.write(handle, bytes);
      return bytes;
    },

    async *list(type, signal): AsyncGenerator<ListedFile> {
      if (!isCachedType(type)) return yield* inner.list(type, signal);
      const names = new Set<string>();
      for await (const file of inner.list(type, signal)) {
        names.add(file.name);
        yield file;
      }
      files.keepOnly(type, names);
    },

    async remove(handle, signal) {
      try {
        await inner.remove(handle, signal);
      } finally {
        if (isCachedType(handle.type)) files.remove(handle);
      }
    },

    async close() {
      files.shrink();
      await inner.close();
    },
  };
}

function isCached({ type, metadata }: Handle): boolean {
  return type === 'pack' ? metadata === true : isCachedType(type);
}

function isCachedType(type: string): type is CachedType {
  return CACHED_TYPES.includes(type as CachedType);
}

/** The index of some ten terabytes, and the trees of some ten million files. */
const DEFAULT_CAPACITY = 4 * 1024 ** 3;
