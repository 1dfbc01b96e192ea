import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Makes the folder what it is in a round: the same whatever it was before, mostly the same as in the round before. */
export function changeTree(tree: string, round: number): void {
  rmSync(tree, { recursive: true, force: true });
  for (let folder = 0; folder < 8; folder += 1) {
    const path = join(tree, `folder ${folder}`);
    mkdirSync(path, { recursive: true });
    for (let file = 0; file < 20; file += 1) {
      const state = folder === round % 8 ? round : 0;
      writeFileSync(join(path, `file ${file}`), noiseOf(`${folder} ${file} ${state}`, 100 + file * 3000));
    }
  }
  writeFileSync(join(tree, 'large'), noiseOf(`large ${round}`, 6_000_000));
}

function noiseOf(seed: string, length: number): Buffer {
  return createHash('shake256', { outputLength: length }).update(seed).digest();
}
