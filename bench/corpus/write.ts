import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { archiveFiller, BLOCK, databaseFiller, type FillBlock, fillIncompressible } from './blocks.ts';
import type { Content, Corpus, LargeCorpus, TinyCorpus, TreeCorpus } from './corpora.ts';
import { Prng } from './prng.ts';
import { TextStock } from './text.ts';

const LARGEST_TEXT = 2 * 1024 * 1024;

/** Writes a corpus below `directory`, which must not exist. The same seed gives the same bytes everywhere. */
export function writeCorpus(corpus: Corpus, directory: string, seed: string): void {
  mkdirSync(directory, { recursive: false });
  if (corpus.kind === 'tree') writeTree(corpus, directory, seed);
  else if (corpus.kind === 'tiny') writeTiny(corpus, directory, seed);
  else writeLarge(corpus, directory, seed);
}

function writeTree(corpus: TreeCorpus, root: string, seed: string): void {
  const directories = makeDirectories(corpus.directories, root);
  const layout = new Prng(`${seed} layout`);
  const stock = new TextStock(seed);
  const buffer = Buffer.alloc(LARGEST_TEXT);
  const originals: number[] = [];
  for (let file = 0; file < corpus.files; file++) {
    // Squared, so that some directories are crowded and many hold a file or two.
    const directory = directories[Math.floor(layout.fraction() ** 2 * directories.length)] ?? root;
    const isCopy = file > 0 && layout.fraction() < corpus.duplicates;
    const original = (isCopy ? originals[layout.below(file)] : undefined) ?? file;
    originals.push(original);
    const prng = new Prng(`${seed} file ${original}`);
    const size = Math.min(LARGEST_TEXT, Math.floor(prng.logNormal(corpus.bytes / corpus.files, 1.2)));
    const content = buffer.subarray(0, size);
    stock.fill(content, prng);
    writeFileSync(path.join(directory, `module-${file}.ts`), content);
  }
}

function writeTiny(corpus: TinyCorpus, root: string, seed: string): void {
  const directories = makeDirectories(corpus.directories, root);
  const prng = new Prng(`${seed} tiny`);
  const buffer = Buffer.alloc(corpus.largest);
  for (let file = 0; file < corpus.files; file++) {
    const content = buffer.subarray(0, prng.below(corpus.largest + 1));
    prng.fill(content);
    writeFileSync(path.join(directories[file % directories.length] ?? root, `item-${file}`), content);
  }
}

function writeLarge(corpus: LargeCorpus, root: string, seed: string): void {
  const stock = new TextStock(seed);
  const fillers: Record<Content, FillBlock> = {
    database: databaseFiller(stock),
    archive: archiveFiller(stock),
    incompressible: fillIncompressible,
  };
  const block = Buffer.alloc(BLOCK);
  for (const { name, content, mebibytes } of corpus.files) {
    const file = openSync(path.join(root, name), 'wx');
    try {
      for (let index = 0; index < mebibytes; index++) {
        fillers[content](block, index, new Prng(`${seed} ${name} ${index}`));
        writeSync(file, block);
      }
    } finally {
      closeSync(file);
    }
  }
}

/** A tree in which every directory has up to eight others in it; parents come before their children. */
function makeDirectories(count: number, root: string): string[] {
  const directories: string[] = [];
  for (let index = 0; index < count; index++) {
    const parent = index < 8 ? root : (directories[Math.floor(index / 8) - 1] ?? root);
    const directory = path.join(parent, `part-${index}`);
    mkdirSync(directory);
    directories.push(directory);
  }
  return directories;
}
