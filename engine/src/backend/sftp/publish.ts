import { exists, POSIX_RENAME, rename, renameOver } from './calls.ts';
import type { SftpSession } from './session.ts';
import { hasStatus, STATUS } from './status.ts';

/** Gives a finished temporary file its name; rejects with `TAKEN` when that name is, and never replaces a file. */
export type Publish = (
  session: SftpSession,
  temporary: string,
  final: string,
  signal?: AbortSignal,
) => Promise<void>;

export const TAKEN = new Error('The name is taken.');

/**
 * Version 3's rename refuses a name that is taken: OpenSSH's server links the file to its new name and removes the old
 * one, so that of two who come at once one is refused. Which refusal it was a look tells.
 *
 * On a file system without hard links that rename fails, or the server itself looks first. Then we look, and rename with
 * the extension that replaces, one file after the other. Readers still see whole files only, but two *programs* that save
 * the same name within the same instant could both believe that they were the one: the later file stays, whole. Names
 * are hashes of contents, so that both are then the same bytes.
 */
export function publisher(): Publish {
  let lastRename: Promise<unknown> = Promise.resolve();

  return async (session, temporary, final, signal) => {
    try {
      await rename(session, temporary, final, signal);
    } catch (error) {
      if (!hasStatus(error, STATUS.failure, STATUS.denied, STATUS.unsupported)) throw error;
      if (await exists(session, final, signal)) throw TAKEN;
      if (!session.knows(POSIX_RENAME)) throw error;
      const turn = lastRename.then(async () => {
        if (await exists(session, final, signal)) throw TAKEN;
        await renameOver(session, temporary, final, signal);
      });
      lastRename = turn.catch(() => undefined);
      await turn;
    }
  };
}
