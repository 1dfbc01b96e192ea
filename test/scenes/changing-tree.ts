import {
  appendFileSync,
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Prng } from '../../bench/corpus/prng.ts';
import { contentOf } from './tree-arbitrary.ts';

/** Does a few of the things to a tree that people and programs do. The same numbers do the same to the same tree. */
export function changeTree(tree: string, prng: Prng): void {
  const changes = 3 + prng.below(12);
  for (let change = 0; change < changes; change += 1) {
    const entries = readdirSync(tree, { recursive: true, withFileTypes: true })
      .map((entry) => ({ path: join(entry.parentPath, entry.name), entry }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
    const files = entries.filter(({ entry }) => entry.isFile()).map(({ path }) => path);
    const directories = [tree, ...entries.filter(({ entry }) => entry.isDirectory()).map(({ path }) => path)];
    const file = pick(files, prng);
    const newPath = join(pick(directories, prng) ?? tree, newName(prng));
    if (file === undefined || files.length < 10) {
      writeFileSync(newPath, content(prng));
      continue;
    }
    const doIt = pick(deeds, prng);
    doIt?.({
      file,
      directory: pick(directories.slice(1), prng),
      newPath,
      prng,
      crowded: entries.length > 80,
    });
  }
}

interface Scene {
  readonly file: string;
  readonly directory: string | undefined;
  readonly newPath: string;
  readonly prng: Prng;
  /** Time to remove rather than to add. */
  readonly crowded: boolean;
}

const deeds: readonly ((scene: Scene) => void)[] = [
  ({ newPath, prng, crowded, file }) => (crowded ? rmSync(file) : writeFileSync(newPath, content(prng))),
  ({ newPath, crowded, directory }) => {
    if (!crowded) mkdirSync(newPath);
    else if (directory !== undefined) rmSync(directory, { recursive: true });
  },
  ({ file, prng }) => writeFileSync(file, content(prng)),
  ({ file, prng }) => appendFileSync(file, content(prng).subarray(0, 5000)),
  ({ file, prng }) => truncateSync(file, Math.floor(lstatSync(file).size * prng.fraction())),
  ({ file, newPath }) => renameSync(file, newPath),
  ({ file }) => rmSync(file),
  ({ file, prng }) => chmodSync(file, 0o400 | prng.below(0o400)),
  ({ file, newPath, crowded }) => crowded || linkSync(file, newPath),
  ({ newPath, prng, crowded }) => crowded || symlinkSync(`../somewhere/${prng.below(100)}`, newPath),
];

function newName(prng: Prng): string {
  const names = ['file', 'Ärger', 'with space', 'new\nline', '-rf', '"quoted"', 'd'];
  // Far more numbers than entries: a name that is taken would be another deed than the one that was chosen.
  return `${pick(names, prng)} ${prng.next()}`;
}

/** Small ones mostly; of few seeds, so that trees share contents and lose them again. */
function content(prng: Prng): Buffer {
  const size = prng.fraction() < 0.05 ? prng.below(3_000_000) : prng.below(40_000);
  return contentOf(size, prng.below(12));
}

function pick<T>(from: readonly T[], prng: Prng): T | undefined {
  return from[prng.below(from.length)];
}
