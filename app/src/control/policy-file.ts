import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { Failure } from '@holdfast/engine';

/** A policy's text as it lies in its file. */
export interface PolicyText {
  readonly file: string;
  readonly text: string;
  /** SHA-256, hexadecimal. */
  readonly hash: string;
}

/** `usage` when it cannot be read or is larger than any policy. */
export async function readPolicyText(file: string): Promise<PolicyText> {
  try {
    const { size } = await stat(file);
    if (size > LARGEST) throw new Failure('usage', 'a policy is smaller than a megabyte', { subject: file });
    const text = await readFile(file, 'utf8');
    return { file, text, hash: createHash('sha256').update(text).digest('hex') };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('usage', `the policy cannot be read: ${(error as Error).message}`, {
      subject: file,
      hint: 'Name it with --policy, or in HOLDFAST_POLICY.',
      cause: error,
    });
  }
}

/** Tells whether a file may have changed: cheap enough for every second. */
export class FileWatch {
  readonly #file: string;
  #seen = '';

  constructor(file: string) {
    this.#file = file;
  }

  /** True when its time, size or place on the disk is another than at the last call; also at the first. */
  async changed(): Promise<boolean> {
    const now = await stat(this.#file).then(
      ({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`,
      (error: NodeJS.ErrnoException) => error.code ?? 'unreadable',
    );
    const changed = now !== this.#seen;
    this.#seen = now;
    return changed;
  }
}

const LARGEST = 1024 * 1024;
