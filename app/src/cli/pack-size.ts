import { Failure } from '@holdfast/engine';
import type { Command } from 'commander';
import type { Environment } from './terminal.ts';

/** MiB; restic takes no others. */
const [SMALLEST, LARGEST] = [4, 128];
const MIB = 1024 * 1024;
const OPTION = '--pack-size';

/** For commands that write data into a repository. */
export function addPackSize(command: Command): Command {
  return command.option(`${OPTION} <MiB>`, 'gather so much in a file of the repository (default: 16)');
}

/**
 * Bytes, where any are wanted: from the option, HOLDFAST_PACK_SIZE, or RESTIC_PACK_SIZE. Commands that write nothing do not
 * look: a variable that is wrong must not stop a restore.
 */
export function packSizeOf(command: Command, environment: Environment): number | undefined {
  if (!command.options.some(({ long }) => long === OPTION)) return undefined;
  const { packSize } = command.opts<{ readonly packSize?: string }>();
  const given = [
    [OPTION, packSize],
    ['HOLDFAST_PACK_SIZE', environment['HOLDFAST_PACK_SIZE']],
    ['RESTIC_PACK_SIZE', environment['RESTIC_PACK_SIZE']],
  ].find(([, text]) => text !== undefined && text !== '');
  if (given === undefined) return undefined;
  const [name, text = ''] = given;
  const mebibytes = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (mebibytes >= SMALLEST && mebibytes <= LARGEST) return mebibytes * MIB;
  throw new Failure('usage', `${name} goes from ${SMALLEST} to ${LARGEST} MiB, not ${text}`, {
    hint: 'Larger packs are fewer requests and files; smaller ones are less to rewrite when a part is forgotten.',
  });
}
