import { lchown, readdir } from 'node:fs/promises';
import path from 'node:path';
import { Failure } from '@holdfast/engine';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
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
