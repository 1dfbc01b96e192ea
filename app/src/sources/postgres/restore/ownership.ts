import { lchown, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { Failure } from '@holdfast/engine';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Whom a restored server is to belong to when nobody said: nobody but ourselves unless we are root; else whoever has the
 * directory, or the one it is made in; where that is root, `recorded`. PostgreSQL does not run as root.
 */
export async function defaultOwner(directory: string, recorded: Owner): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  return (await ownerOf(directory)) ?? (await ownerOf(path.dirname(directory))) ?? recorded;
}

async function ownerOf(directory: string): Promise<Owner | undefined> {
  try {
    const { uid, gid } = await stat(directory);
    return uid === 0 ? undefined : { uid, gid };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Gives a directory and all that is in it to one user; only root can. */
export async function giveTo({ uid, gid }: Owner, directory: string): Promise<void> {
  try {
    for (const entry of await readdir(directory, { recursive: true })) {
      await lchown(path.join(directory, entry), uid, gid);
    }
    await lchown(directory, uid, gid);
  } catch (cause) {
    throw new Failure('target.write', `${directory} cannot be given to user ${uid} (${codeOf(cause)})`, {
      subject: directory,
      hint: 'Only root can give files away.',
      cause,
    });
  }
}

export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
