import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { Refusal } from './refusal.ts';

/** How much all repositories together may take, in bytes of their files. */
export interface Quota {
  /** Takes room for what has arrived; throws a `Refusal` when there is none. */
  take(bytes: number): void;
  giveBack(bytes: number): void;
}

export const UNLIMITED: Quota = { take: () => {}, giveBack: () => {} };

/** Counts what is there first. */
export async function quotaOf(root: string, limit: number): Promise<Quota> {
  let used = await bytesBelow(root);
  return {
    take(bytes) {
      if (used + bytes > limit) throw new Refusal(FULL, 'There is no room left on this server.');
      used += bytes;
    },
    giveBack(bytes) {
      used -= bytes;
    },
  };
}

async function bytesBelow(root: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    // A file that goes away meanwhile takes no room.
    bytes += await stat(path.join(entry.parentPath, entry.name)).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return bytes;
}

const FULL = 507;
