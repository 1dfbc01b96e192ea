import type { Disk } from './disk.ts';
import { errnoOf } from './errno.ts';

/** Gives a finished temporary file its name; fails with EEXIST when that name is taken, and never replaces a file. */
export type Publish = (temporary: string, final: string) => Promise<void>;

/** What file systems without hard links answer to link(2): exFAT, many SMB and FUSE mounts. */
const NO_HARD_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV'];

/**
 * link(2) is the one call that names a file and refuses a name that is taken, in one step; rename(2) replaces.
 *
 * Without hard links we look first and rename then, one file after the other. Readers still see whole files only,
 * but two *processes* that save the same name within the same instant could both believe that they were the one:
 * the later file stays, whole. Names are hashes of contents, so that both are then the same bytes.
 */
export function publisher(disk: Disk): Publish {
  let lastRename: Promise<unknown> = Promise.resolve();

  async function renameUnlessTaken(temporary: string, final: string): Promise<void> {
    if (await disk.exists(final))
      throw Object.assign(new Error(`EEXIST: file already exists, '${final}'`), {
        code: 'EEXIST',
        errno: -17,
      });
    await disk.rename(temporary, final);
  }

  return async (temporary, final) => {
    try {
      await disk.link(temporary, final);
    } catch (error) {
      if (!NO_HARD_LINKS.includes(errnoOf(error) ?? '')) throw error;
      const turn = lastRename.then(() => renameUnlessTaken(temporary, final));
      lastRename = turn.catch(() => undefined);
      await turn;
      return;
    }
    await disk.unlink(temporary);
  };
}
