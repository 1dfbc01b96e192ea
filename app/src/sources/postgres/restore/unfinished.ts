import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Owner } from './ownership.ts';

/*
 * A restore that is cut off must leave nothing that a server would start from: it would come up with half of its tables.
 * The order:
 *
 *     1  .holdfast-restore/ is made: from now on the directory is known to be unfinished
 *     2  global/pg_control is removed, without which no server starts
 *     3  everything else is written
 *     4  global/pg_control is written in .holdfast-restore/, made durable, and renamed into place
 *     5  .holdfast-restore/ is removed
 *
 * Cut off before 4 there is no pg_control; cut off before 5 the directory is whole, and the next restore tidies up.
 */
const FOLDER = '.holdfast-restore';
const SYSTEM = 'system';
const CONTROL = 'global/pg_control';

/** What must be left alone by a restore of everything else, as patterns below the data directory. */
export const UNFINISHED_PATTERNS: readonly string[] = [`/${FOLDER}`, `/${CONTROL}`];

/** Steps 1 and 2. */
export async function beginUnfinished(directory: string, systemId: string): Promise<void> {
  await mkdir(path.join(directory, FOLDER), { recursive: true, mode: 0o700 });
  const file = await open(path.join(directory, FOLDER, SYSTEM), 'w', 0o600);
  try {
    await file.writeFile(`${systemId}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rm(path.join(directory, CONTROL), { force: true });
}

/** Of which system an unfinished restore in this directory is; undefined when there is none. */
export async function unfinishedSystem(directory: string): Promise<string | undefined> {
  try {
    return (await readFile(path.join(directory, FOLDER, SYSTEM), 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Steps 4 and 5. */
export async function endUnfinished(
  directory: string,
  control: Uint8Array,
  owner: Owner | undefined,
): Promise<void> {
  const prepared = path.join(directory, FOLDER, 'pg_control');
  const file = await open(prepared, 'w', 0o600);
  try {
    await file.writeFile(control);
    if (owner !== undefined) await file.chown(owner.uid, owner.gid);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(prepared, path.join(directory, CONTROL));
  await rm(path.join(directory, FOLDER), { recursive: true });
}
