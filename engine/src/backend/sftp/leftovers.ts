import { isLeftover, isTemporary } from '../temporary-name.ts';
import { readDirectory, removeFile } from './calls.ts';
import { pathBelow } from './remote-path.ts';
import type { SftpSession } from './session.ts';
import { SftpError } from './status.ts';

/**
 * Removes what saves that were killed left in a directory, a day ago or more by the server's clock against ours (`now`,
 * in milliseconds). Housekeeping never fails the save it happens in: what cannot be removed stays.
 */
export async function sweepLeftovers(
  session: SftpSession,
  directory: string,
  now: number,
  signal?: AbortSignal,
): Promise<void> {
  try {
    for (const { name, modified } of await readDirectory(session, directory, signal)) {
      if (modified === undefined || !isTemporary(name) || !isLeftover(modified, now)) continue;
      await removeFile(session, pathBelow(directory, name), signal);
    }
  } catch (error) {
    if (!(error instanceof SftpError)) throw error;
  }
}
