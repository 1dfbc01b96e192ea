import { lstat, opendir, stat, statfs } from 'node:fs/promises';
import path from 'node:path';

/** Of the file system that a path is on, or will be on once it is made; undefined when nobody may look. */
export async function deviceOf(place: string): Promise<string | undefined> {
  const known = await nearestExisting(place);
  return known === undefined ? undefined : (await stat(known, { bigint: true })).dev.toString();
}

export interface DiskFacts {
  /** Bytes that this user may still write. */
  readonly free: number;
  /** It is not a disk of this machine, or nobody can say. */
  readonly elsewhere: boolean;
}

export async function diskFacts(place: string): Promise<DiskFacts | undefined> {
  const known = await nearestExisting(place);
  if (known === undefined) return undefined;
  const { type, bavail, bsize } = await statfs(known);
  return { free: bavail * bsize, elsewhere: NETWORK.has(type) };
}

/** `f_type` of statfs(2): NFS, CIFS, SMB 2, FUSE (sshfs, and much else), Ceph, 9P. */
const NETWORK: ReadonlySet<number> = new Set([
  0x6969, 0xff534d42, 0xfe534d42, 0x65735546, 0x00c36400, 0x01021997,
]);

async function nearestExisting(place: string): Promise<string | undefined> {
  for (let at = path.resolve(place); ; at = path.dirname(at)) {
    try {
      await stat(at);
      return at;
    } catch {
      if (at === path.dirname(at)) return undefined;
    }
  }
}

/** A tree with millions of files is not walked for a forecast: its size is then not known. */
const MOST_ENTRIES = 200_000;

/** Bytes of the files below some paths; undefined when that would take long, or part of it cannot be read. */
export async function sizeOf(paths: readonly string[], signal: AbortSignal): Promise<number | undefined> {
  let bytes = 0;
  let entries = 0;
  const waiting = [...paths];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    signal.throwIfAborted();
    try {
      const facts = await lstat(next);
      if (!facts.isDirectory()) {
        bytes += facts.isFile() ? facts.size : 0;
        continue;
      }
      for await (const entry of await opendir(next)) {
        entries += 1;
        waiting.push(path.join(next, entry.name));
      }
    } catch {
      return undefined;
    }
    if (entries > MOST_ENTRIES) return undefined;
  }
  return bytes;
}
