import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

/** The Nodes on the PATH that are too old for the program, ours below `node_modules` left aside. */
export function olderNodes(): { readonly version: string; readonly path: string }[] {
  return (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .map((folder) => path.join(folder, 'node'))
    .filter((candidate) => existsSync(candidate))
    .map((candidate) => ({
      path: candidate,
      version: execFileSync(candidate, ['--version'], { encoding: 'utf8' }).trim(),
    }))
    .filter(({ version }, position, all) => all.findIndex((other) => other.version === version) === position)
    .filter(({ version }) => Number(/^v(\d+)/.exec(version)?.[1]) < 26);
}
