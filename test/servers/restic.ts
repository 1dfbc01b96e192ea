import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { installWithApt } from './apt.ts';
import type { Obtained, Server } from './server.ts';

const execute = promisify(execFile);

/** Stock restic: whichever is on the PATH, else Debian's. */
export const restic: Server = {
  name: 'restic',
  obtain: async () => {
    const present = await installed();
    if (present !== undefined) return present;
    return (
      (await installWithApt('restic')) ??
      (await installed()) ?? { unavailable: 'restic was installed, but is not on the PATH' }
    );
  },
};

async function installed(): Promise<Obtained | undefined> {
  try {
    const { stdout } = await execute('restic', ['version']);
    const version = /^restic (\S+)/.exec(stdout)?.[1];
    return version === undefined ? undefined : { path: 'restic', version };
  } catch {
    return undefined;
  }
}
