import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Prng } from '../../bench/corpus/prng.ts';
import { contentOf } from '../scenes/tree-arbitrary.ts';

const CONTENTS = 40;
const AT_A_TIME = 6;
const KIB = 1024;

/**
 * Puts a few files into a folder of the tree whose contents come and go and come again, there and in other trees. What was
 * forgotten everywhere a moment ago, and may be marked by now, is then found in the repository and relied on: that is
 * where a prune can go wrong.
 */
export function bringRecurringFiles(tree: string, prng: Prng): void {
  const folder = join(tree, 'recurring');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (let count = 0; count < AT_A_TIME; count += 1) {
    const number = prng.below(CONTENTS);
    writeFileSync(join(folder, `${number}`), contentOf((8 + number) * KIB, number));
  }
}
