import {
  constants,
  copyFileSync,
  type Dirent,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';

export interface CopyLimits {
  /** Larger files are left out, in bytes. */
  readonly largestFile: number;
  /** About so much is copied at most, in bytes. */
  readonly bytes: number;
}

/** Copies files, directories and symlinks, and answers how many files; what cannot be read is left out. */
export async function copyTree(
  from: string,
  to: string,
  limits: CopyLimits,
  signal: AbortSignal,
): Promise<number> {
  let files = 0;
  let bytes = 0;

  async function copyDirectory(source: string, target: string): Promise<void> {
    // Lets a signal come through: all else here is synchronous.
    await new Promise(setImmediate);
    signal.throwIfAborted();
    mkdirSync(target, { recursive: true });
    for (const entry of readdirSync(source, { withFileTypes: true })) {
      const [one, other] = [join(source, entry.name), join(target, entry.name)];
      if (entry.isDirectory()) await copyDirectory(one, other);
      else if (bytes < limits.bytes) copyEntry(entry, one, other);
    }
  }

  function copyEntry(entry: Dirent, source: string, target: string): void {
    if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    if (!entry.isFile()) return;
    const { size } = lstatSync(source);
    if (size > limits.largestFile || !copyFile(source, target)) return;
    files += 1;
    bytes += size;
  }

  await copyDirectory(from, to);
  return files;
}

function copyFile(source: string, target: string): boolean {
  try {
    copyFileSync(source, target, constants.COPYFILE_FICLONE);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return false;
    throw error;
  }
}
