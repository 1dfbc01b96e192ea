import { closeSync, fstatSync, openSync, readdirSync, writeSync } from 'node:fs';
import path from 'node:path';
import { BLOCK } from './blocks.ts';
import { Prng } from './prng.ts';

/** From here on a file is changed in a part of it instead of being one of the few that are changed. */
const LARGE = 8 * BLOCK;

/**
 * Changes `fraction` of what lies below `directory`: of the small files that many, each with a new line somewhere in
 * it and one at its end; of each large file one stretch of that share of its length, as a database's hot pages are.
 * Each `round` changes others; the same round changes the same ones in the same way.
 */
export function changeCorpus(directory: string, fraction: number, round: number): void {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
  for (const name of names) {
    const prng = new Prng(`change ${round} ${path.relative(directory, name)}`);
    const isChosen = prng.fraction() < fraction;
    const file = openSync(name, 'r+');
    try {
      const { size } = fstatSync(file);
      if (size >= LARGE) changeStretch(file, size, Math.ceil(size * fraction), prng);
      else if (isChosen) changeLines(file, size, prng);
    } finally {
      closeSync(file);
    }
  }
}

function changeLines(file: number, size: number, prng: Prng): void {
  const line = `// changed ${prng.next().toString(36)}\n`;
  if (size > line.length) writeSync(file, line, prng.below(size - line.length));
  writeSync(file, line, size);
}

function changeStretch(file: number, size: number, length: number, prng: Prng): void {
  const stretch = Buffer.alloc(length);
  prng.fill(stretch);
  writeSync(file, stretch, 0, length, prng.below(size - length));
}
