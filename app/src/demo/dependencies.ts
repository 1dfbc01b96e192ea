import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** The installed packages beside `module` (a file's path): real files of every kind, and there wherever we run. */
export function findDependencies(module: string): string | undefined {
  for (let directory = dirname(module); ; directory = dirname(directory)) {
    if (basename(directory) === 'node_modules') return directory;
    const inside = join(directory, 'node_modules');
    if (existsSync(inside)) return inside;
    if (directory === dirname(directory)) return undefined;
  }
}
