import { join } from 'node:path';
import type { SpoolDisk } from './spool-disk.ts';

/** Stands behind the name of a segment that is being filled, or was left where its stream ended. */
export const PARTIAL = '.partial';
export const TEMPORARY = '.tmp';
export const OWNER_FILE = 'spool.json';
export const LOCK_FILE = 'spool.lock';
export const OWN_FILES: readonly string[] = [OWNER_FILE, LOCK_FILE];

/** Content, name, directory: the same order as for a segment. */
export async function saveWhole(
  disk: SpoolDisk,
  directory: string,
  name: string,
  content: Uint8Array,
): Promise<void> {
  const temporary = join(directory, name + TEMPORARY);
  const file = await disk.openFile(temporary);
  try {
    await file.setLength(0);
    await file.write([content], 0);
    await file.syncData();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, join(directory, name));
  await disk.syncDirectory(directory);
}
