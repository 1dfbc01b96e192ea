/**
 * Gives package-lock.json an entry for every optional platform package that npm left out.
 *
 * npm drops an optional dependency from the lock when the registry that it talks to does not carry it (mirrors often
 * hold only the platforms they were asked for). `npm ci` on the next machine then refuses the lock as out of date.
 * Such an entry has a version, a platform and no integrity: it is only ever fetched on that platform.
 *
 * Run after each change of dependencies: `./dev run scripts/complete-lock.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type LockedPackage, lockProblems, type PackageLock } from './lock.ts';

const lockFile = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(lockFile, 'utf8')) as PackageLock;
const missing = lockProblems(lock).missing;

for (const { name, version, dev } of missing) {
  lock.packages[`node_modules/${name}`] = {
    version,
    ...platformOf(name),
    ...(dev ? { dev: true } : {}),
    optional: true,
  };
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(lockFile, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`${missing.length} entries added to package-lock.json\n`);

/** The platform that a package is for, read from its name: `@biomejs/cli-linux-x64-musl`. */
function platformOf(name: string): Pick<LockedPackage, 'os' | 'cpu' | 'libc'> {
  const found =
    /(?<os>aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)-(?<cpu>[a-z0-9]+)(?:-(?<abi>\w+))?$/.exec(
      name,
    )?.groups;
  if (found?.['os'] === undefined || found['cpu'] === undefined) {
    throw new Error(
      `${name} is missing from the lock and is not named after a platform: is the registry complete?`,
    );
  }
  const libc = found['os'] !== 'linux' ? undefined : found['abi']?.startsWith('musl') ? 'musl' : 'glibc';
  return { cpu: [found['cpu']], os: [found['os']], ...(libc === undefined ? {} : { libc: [libc] }) };
}
