import { dirname, join } from 'node:path';
import { Failure, openPosix } from '@holdfast/engine';
import { type SpoolDisk, type SpoolFile, systemSpoolDisk } from './spool-disk.ts';
import { LOCK_FILE, OWNER_FILE, saveWhole } from './spool-files.ts';

export interface SpoolOwner {
  /** The kind of source: `postgres`. */
  readonly source: string;
  /** What tells one source from another of its kind: a system identifier, a replication id. */
  readonly identity: string;
}

/** Marks a new spool as its owner's; throws `spool.foreign` for one that is somebody else's, or holds `names` unmarked. */
export async function assertOwner(
  disk: SpoolDisk,
  directory: string,
  owner: SpoolOwner,
  names: readonly string[],
): Promise<void> {
  const found = await readOwner(directory, disk);
  if (found === undefined) {
    if (names.length > 0) throw foreign(directory, `it holds ${names[0]}, and does not say whose that is`);
    await saveWhole(disk, directory, OWNER_FILE, Buffer.from(`${JSON.stringify(owner)}\n`));
  } else if (found.source !== owner.source || found.identity !== owner.identity) {
    const [theirs, ours] = [found, owner].map(({ source, identity }) => `${source} ${identity}`);
    throw foreign(directory, `it is for ${theirs}, not for ${ours}`);
  }
}

/** Held until the file is closed, by whatever end the process comes to. Throws `spool.locked`. */
export async function takeSpoolLock(disk: SpoolDisk, directory: string): Promise<SpoolFile> {
  const { tryLock, unavailable } = openPosix();
  if (tryLock === undefined) {
    throw new Failure(
      'internal',
      `a spool cannot be locked here, and two writers would spoil it: ${unavailable}`,
    );
  }
  const path = join(directory, LOCK_FILE);
  const file = await disk.openFile(path);
  try {
    if (!tryLock(file.descriptor)) {
      const holder = (await disk.readFile(path)).toString().trim();
      throw new Failure(
        'spool.locked',
        `another process has this spool${holder === '' ? '' : `: ${holder}`}`,
        {
          subject: directory,
          hint: 'One journal runs for a source. Stop the other one, or name another directory with --spool.',
        },
      );
    }
    await file.setLength(0);
    await file.write([Buffer.from(`process ${process.pid}\n`)], 0);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Each new directory's parent is synced, or a power cut takes the directory with everything in it. */
export async function makeDirectories(disk: SpoolDisk, path: string): Promise<void> {
  try {
    await disk.makeDirectory(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT') throw error;
    await makeDirectories(disk, dirname(path));
    await disk.makeDirectory(path);
  }
  await disk.syncDirectory(dirname(path));
}

/** Undefined where there is no spool yet. */
export async function readOwner(
  directory: string,
  disk: SpoolDisk = systemSpoolDisk,
): Promise<SpoolOwner | undefined> {
  let text: string;
  try {
    text = (await disk.readFile(join(directory, OWNER_FILE))).toString();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { source, identity } = JSON.parse(text) as Record<string, unknown>;
    return { source: String(source), identity: String(identity) };
  } catch {
    return { source: 'something', identity: 'unreadable' };
  }
}

function foreign(directory: string, why: string): Failure {
  return new Failure('spool.foreign', `this spool belongs to something else: ${why}`, {
    subject: directory,
    hint: 'Name another directory with --spool; remove this one only when nothing in it is needed any more.',
  });
}
