import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Unavailable } from './server.ts';

const execute = promisify(execFile);
const options = ['--yes', '--quiet', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300'];
const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };

/** Installs a Debian package where that is possible and allowed; the package lists are fetched only when needed. */
export async function installWithApt(packageName: string): Promise<Unavailable | undefined> {
  if (process.getuid?.() !== 0) {
    return {
      unavailable: `${packageName} is not installed, and installing it needs root (apt-get install ${packageName})`,
    };
  }
  try {
    await execute('apt-get', ['install', ...options, packageName], { env }).catch(async () => {
      await execute('apt-get', ['update', '--quiet'], { env });
      await execute('apt-get', ['install', ...options, packageName], { env });
    });
    return undefined;
  } catch (error) {
    const [firstLine] = (error instanceof Error ? error.message : String(error)).split('\n');
    return { unavailable: `${packageName} could not be installed: ${firstLine}` };
  }
}
