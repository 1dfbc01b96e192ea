import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
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
 * Cut off before 4 there is no pg_control; cut off before 5 the directory is whole, and the next restore tidies up. The
 * server itself makes everything durable before it recovers from a backup.
 */
export const UNFINISHED_FOLDER = '.holdfast-restore';
const RECORD = 'restore.json';
const CONTROL = 'global/pg_control';

/** What must be left alone by a restore of everything else, as patterns below the data directory. */
export const UNFINISHED_PATTERNS: readonly string[] = [`/${UNFINISHED_FOLDER}`, `/${CONTROL}`];

const unfinished = z.object({
  systemId: z.string(),
  /** By oid, the directories that this restore may write over as well when it is repeated. */
  tablespaces: z.record(z.string(), z.string()),
});

export type Unfinished = z.infer<typeof unfinished>;

/** Steps 1 and 2. */
export async function beginUnfinished(directory: string, record: Unfinished): Promise<void> {
  const folder = path.join(directory, UNFINISHED_FOLDER);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeDurably(path.join(folder, `${RECORD}.new`), Buffer.from(JSON.stringify(record)));
  await rename(path.join(folder, `${RECORD}.new`), path.join(folder, RECORD));
  await rm(path.join(directory, CONTROL), { force: true });
}

/** The restore that was not finished in this directory; undefined when there is none. */
export async function readUnfinished(directory: string): Promise<Unfinished | undefined> {
  try {
    return unfinished.parse(
      JSON.parse(await readFile(path.join(directory, UNFINISHED_FOLDER, RECORD), 'utf8')),
    );
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
  const prepared = path.join(directory, UNFINISHED_FOLDER, 'pg_control');
  await writeDurably(prepared, control, owner);
  await rename(prepared, path.join(directory, CONTROL));
  await rm(path.join(directory, UNFINISHED_FOLDER), { recursive: true });
}

async function writeDurably(name: string, bytes: Uint8Array, owner?: Owner): Promise<void> {
  await using file = await open(name, 'w', 0o600);
  await file.writeFile(bytes);
  if (owner !== undefined) await file.chown(owner.uid, owner.gid);
  await file.sync();
}
