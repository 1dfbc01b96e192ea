import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { sha256Id } from '../../engine/src/kernel/hash.ts';
import { openPosix } from '../../engine/src/kernel/posix/posix.ts';

/** What a restore has to bring back of one entry. Names and bytes as latin1, so that failures can be read. */
export interface FileFacts {
  readonly name: string;
  readonly mode: string;
  readonly owner: string;
  readonly links: bigint;
  readonly device: bigint;
  readonly modified: bigint;
  /** A file's hash, a symlink's target. */
  readonly content: string;
  readonly attributes: readonly string[];
}

/** The facts of all entries below `root`, whose names are byte strings. */
export function factsOf(root: string, names: readonly string[]): FileFacts[] {
  const { attributes } = openPosix();
  return names.map((name) => {
    const path = Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name, 'latin1')]);
    const stats = lstatSync(path, { bigint: true });
    return {
      name,
      mode: stats.mode.toString(8),
      owner: `${stats.uid}:${stats.gid}`,
      links: stats.isDirectory() ? 0n : stats.nlink,
      device: stats.rdev,
      modified: stats.mtimeNs,
      content: stats.isFile()
        ? sha256Id(readFileSync(path))
        : stats.isSymbolicLink()
          ? readlinkSync(path, 'latin1')
          : '',
      attributes: (attributes?.list(path) ?? []).map(
        (attribute) =>
          `${attribute.toString('latin1')}=${attributes?.get(path, attribute)?.toString('latin1')}`,
      ),
    };
  });
}
