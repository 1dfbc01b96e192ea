import { readFile } from 'node:fs/promises';
import { Failure } from '@holdfast/engine';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a directory',
};

/**
 * The text of a small file that an option names, without white space around it, as restic reads password and
 * repository files: UTF-8, or UTF-16 where a byte order mark says so. `purpose` names it in the failure.
 */
export async function readTextFile(path: string, purpose: string): Promise<string> {
  return decodeText(await readFileBytes(path, purpose)).trim();
}

export function decodeText(bytes: Uint8Array): string {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? 'utf-16be'
        : 'utf-8';
  return new TextDecoder(encoding).decode(bytes);
}

/** A small file that an option names, as it is. */
export async function readFileBytes(path: string, purpose: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new Failure('usage', `the ${purpose} cannot be read: ${REASONS[code] ?? code}`, {
      subject: path,
      cause: error,
    });
  }
}
