import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * Where packages are installed for `module` (a file of ours): real files of every kind, and there wherever we run. The
 * engine lies there, in a checkout as in an installation; a folder of single packages further in does not count.
 */
export function findDependencies(module: string): string | undefined {
  for (let directory = dirname(module); directory !== dirname(directory); directory = dirname(directory)) {
    const candidate = basename(directory) === 'node_modules' ? directory : join(directory, 'node_modules');
    if (existsSync(join(candidate, '@holdfast', 'engine'))) return candidate;
  }
  return undefined;
}
