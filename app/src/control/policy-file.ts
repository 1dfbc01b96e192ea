import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { Failure } from '@holdfast/engine';

/** A policy's text as it lies in its file. */
export interface PolicyText {
  readonly file: string;
  readonly text: string;
  /** SHA-256, hexadecimal. */
  readonly hash: string;
}

/** Rejects with `usage` when there is no such file. One that is larger than any policy is cut, and refused by the parser. */
export async function readPolicyText(file: string): Promise<PolicyText> {
  try {
    await using handle = await open(file);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MOST_BYTES));
    const bytes = buffer.subarray(0, bytesRead);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { file, text, hash: createHash('sha256').update(bytes).digest('hex') };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new Failure('usage', `the policy cannot be read: ${REASONS[code] ?? code}`, {
      subject: file,
      hint: 'Name the policy on the command line or in HOLDFAST_POLICY; without either it is holdfast.yaml in this directory.',
      cause: error,
    });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a directory',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8',
};

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

/** More than any policy has: `parsePolicy` takes less, and says so. */
const MOST_BYTES = 4 * 1024 * 1024;
