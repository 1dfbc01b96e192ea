import { open } from 'node:fs/promises';
import { Failure } from '@holdfast/engine';
import { type ParsedPolicy, parsePolicy } from '../../policy/parse.ts';
import { checkCron } from '../../schedule/cron.ts';
import type { Machine } from '../machine.ts';

export type PolicyMachine = Pick<Machine, 'timeZone' | 'homeDirectory'>;

/** More than any policy has; one byte above what `parsePolicy` takes, so that it says so. */
const MOST_BYTES = 4 * 1024 * 1024;

/** Rejects with `usage` when there is no such file. */
export async function readPolicy(
  file: string,
  { timeZone, homeDirectory }: PolicyMachine,
): Promise<ParsedPolicy> {
  return parsePolicy(await readText(file), { timezone: timeZone, homeDirectory, checkCron });
}

async function readText(path: string): Promise<string> {
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_BYTES));
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, bytesRead));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new Failure('usage', `the policy cannot be read: ${REASONS[code] ?? code}`, {
      subject: path,
      hint: 'Name it behind the command or in HOLDFAST_POLICY; without either it is holdfast.yaml in this directory.',
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
