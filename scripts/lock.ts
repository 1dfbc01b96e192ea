/** What package-lock.json must be for `npm ci` to work on any machine, with any registry. */

export interface LockedPackage {
  version?: string;
  resolved?: string;
  link?: boolean;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}

export interface PackageLock {
  /** By path below the workspace: `node_modules/a/node_modules/b`; `''` is the workspace itself. */
  packages: Record<string, LockedPackage>;
}

export interface MissingPackage {
  readonly name: string;
  readonly version: string;
  readonly dev: boolean;
}

export interface LockProblems {
  /** Optional dependencies that no entry satisfies: `npm ci` refuses such a lock. */
  readonly missing: readonly MissingPackage[];
  /** Entries that name the registry they came from: of no use, and wrong, on another machine. */
  readonly hosts: readonly string[];
}

export function lockProblems(lock: PackageLock): LockProblems {
  const missing = new Map<string, MissingPackage>();
  const hosts: string[] = [];
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (entry.resolved?.includes('://')) hosts.push(path);
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (!lookupPaths(path, name).some((candidate) => candidate in lock.packages)) {
        missing.set(name, { name, version, dev: entry.dev === true });
      }
    }
  }
  return { missing: [...missing.values()], hosts };
}

/** Where Node looks for `name` when asked from `path`, nearest first. */
function lookupPaths(path: string, name: string): string[] {
  const paths: string[] = [];
  let base = path;
  while (base !== '') {
    paths.push(`${base}/node_modules/${name}`);
    base = base.slice(0, Math.max(0, base.lastIndexOf('/node_modules/')));
  }
  paths.push(`node_modules/${name}`);
  return paths;
}
