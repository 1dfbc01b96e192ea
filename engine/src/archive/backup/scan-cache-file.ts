import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { tagAsCache } from '../../kernel/cache-tag.ts';
import { sha256Id } from '../../kernel/hash.ts';
import { type Id, shortId } from '../../kernel/id.ts';
import { encodeCacheHeader, HEADER_BYTES, type SharedScanCache, shareCache } from './scan-cache.ts';

/**
 * Where the scan cache of one repository and one set of paths lies. Losing it costs time, never data, so it is written
 * without fsync, and whatever goes wrong with it is no reason to fail: reading answers "none", writing gives up.
 */
export interface ScanCacheFile {
  load(snapshot: Id): SharedScanCache | undefined;
  /** Begins the next one. */
  write(): ScanCacheWriter;
}

export interface ScanCacheWriter {
  add(records: Uint8Array): void;
  /** Puts it in place, for `snapshot`. */
  commit(snapshot: Id): void;
  discard(): void;
}

/** `cacheDirectory` is the user's; `paths` what the backup is asked for. */
export function scanCacheFile(
  cacheDirectory: string,
  repositoryId: string,
  paths: readonly string[],
): ScanCacheFile {
  const directory = join(cacheDirectory, repositoryId, 'scan');
  const file = join(directory, shortId(sha256Id(Buffer.from(JSON.stringify(paths)))));
  return {
    load: (snapshot) => {
      try {
        return shareCache(readFileSync(file), snapshot);
      } catch {
        return undefined; // not there, or not readable: everything is looked at
      }
    },
    write: () => {
      try {
        return openWriter(cacheDirectory, directory, file);
      } catch {
        return NO_WRITER;
      }
    },
  };
}

const NO_WRITER: ScanCacheWriter = {
  add: () => undefined,
  commit: () => undefined,
  discard: () => undefined,
};

function openWriter(cacheDirectory: string, directory: string, file: string): ScanCacheWriter {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  tagAsCache(cacheDirectory);
  const temporary = `${file}.tmp`;
  // What a killed run left goes. Should another run be at it just now, it loses its cache, and nothing else.
  rmSync(temporary, { force: true });
  const descriptor = openSync(temporary, 'wx', 0o600);
  const hash = createHash('sha256');
  let position = HEADER_BYTES;
  let broken = false;

  function discard(): void {
    closeSync(descriptor);
    rmSync(temporary, { force: true });
  }

  return {
    add: (records) => {
      if (broken) return;
      try {
        writeSync(descriptor, records, 0, records.length, position);
        position += records.length;
        hash.update(records);
      } catch {
        broken = true; // the disk of the cache is full
      }
    },
    commit: (snapshot) => {
      try {
        if (!broken) writeSync(descriptor, encodeCacheHeader(snapshot, hash), 0, HEADER_BYTES, 0);
      } catch {
        broken = true;
      }
      if (broken) return discard();
      closeSync(descriptor);
      try {
        renameSync(temporary, file);
      } catch {
        // Another run of the same paths put its own in place.
      }
    },
    discard,
  };
}
