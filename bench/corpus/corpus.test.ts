import { hash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { changeCorpus } from './change.ts';
import type { Corpus } from './corpora.ts';
import { writeCorpus } from './write.ts';

const tree: Corpus = { kind: 'tree', files: 400, directories: 40, bytes: 4e6, duplicates: 0.15 };

let scratch = '';
beforeEach(() => {
  scratch = mkdtempSync(path.join(tmpdir(), 'holdfast-corpus-'));
});
afterEach(() => rmSync(scratch, { recursive: true }));

function write(name: string, corpus: Corpus): Map<string, string> {
  writeCorpus(corpus, path.join(scratch, name), 'test');
  return digests(name);
}

function digests(name: string): Map<string, string> {
  const files = contents(name).map(([file, bytes]) => [file, hash('sha256', bytes)] as const);
  return new Map(files);
}

function contents(name: string): [string, Buffer][] {
  const root = path.join(scratch, name);
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => [path.relative(root, file), readFileSync(file)]);
}

it('a corpus is the same whenever it is written, or figures could not be compared over time', () => {
  const first = write('a', tree);
  expect(write('b', tree)).toEqual(first);
  const all = [...first].toSorted().join('\n');
  expect(hash('sha256', all)).toBe('6b4ed7b45b7df22a4e3e480bee24cbec6afb08e8194e4239f25917b871b48f6b');
});

it('text has duplicates and compresses about as source code does', () => {
  const digest = write('a', tree);
  const distinct = new Map(contents('a').map(([name, bytes]) => [digest.get(name), bytes]));
  expect(distinct.size).toBeGreaterThan(300);
  expect(distinct.size).toBeLessThan(380);
  const plain = distinct.values().reduce((sum, bytes) => sum + bytes.length, 0);
  const packed = distinct.values().reduce((sum, bytes) => sum + zstdCompressSync(bytes).length, 0);
  expect(plain / packed).toBeGreaterThan(2.5);
  expect(plain / packed).toBeLessThan(4.5);
});

it('random files do not compress, database and archive files do in part', () => {
  const ratios = (['incompressible', 'database', 'archive'] as const).map((content) => {
    writeCorpus(
      { kind: 'large', files: [{ name: 'file', content, mebibytes: 2 }] },
      path.join(scratch, content),
      'test',
    );
    const bytes = readFileSync(path.join(scratch, content, 'file'));
    expect(bytes.length).toBe(2 * 1024 * 1024);
    return bytes.length / zstdCompressSync(bytes).length;
  });
  expect(ratios[0]).toBeLessThan(1.01);
  for (const ratio of ratios.slice(1)) {
    expect(ratio).toBeGreaterThan(1.5);
    expect(ratio).toBeLessThan(5);
  }
});

it('a change touches the share of files that was asked for, others in each round, the same ones each time', () => {
  const before = write('a', tree);
  write('b', tree);
  const changedBy = (name: string, round: number) => {
    const earlier = digests(name);
    changeCorpus(path.join(scratch, name), 0.05, round);
    const later = digests(name);
    expect(later.size).toBe(before.size);
    return [...later.keys()].filter((file) => later.get(file) !== earlier.get(file)).toSorted();
  };
  const first = changedBy('a', 0);
  expect(first.length).toBeGreaterThan(8);
  expect(first.length).toBeLessThan(40);
  expect(changedBy('b', 0)).toEqual(first);
  expect(digests('b')).toEqual(digests('a'));
  expect(changedBy('a', 1)).not.toEqual(first);
});

it('a large file changes in one stretch', () => {
  write('a', { kind: 'large', files: [{ name: 'file', content: 'incompressible', mebibytes: 10 }] });
  const before = readFileSync(path.join(scratch, 'a', 'file'));
  changeCorpus(path.join(scratch, 'a'), 0.01, 0);
  const after = readFileSync(path.join(scratch, 'a', 'file'));
  let first = 0;
  while (after[first] === before[first]) first++;
  let last = after.length - 1;
  while (after[last] === before[last]) last--;
  expect(after.length).toBe(before.length);
  expect(last - first).toBeGreaterThan(0.0099 * after.length);
  expect(last - first).toBeLessThan(0.0101 * after.length);
});
