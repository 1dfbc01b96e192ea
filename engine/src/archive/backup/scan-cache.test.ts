import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { sha256Id } from '../../kernel/hash.ts';
import { RecordWriter } from './record-writer.ts';
import { decodeContents, encodeContents, ScanCache } from './scan-cache.ts';
import { type ScanCacheFile, scanCacheFile } from './scan-cache-file.ts';

const base = mkdtempSync(join(tmpdir(), 'holdfast-scan-cache-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const snapshot = sha256Id(Buffer.from('snapshot'));
const other = sha256Id(Buffer.from('another'));
const treeId = Buffer.alloc(32, 7);

let directory: string;
let file: ScanCacheFile;
beforeEach(() => {
  directory = mkdtempSync(join(base, 'c-'));
  file = scanCacheFile(directory, 'r', ['/a']);
});

/** Where the cache lies on disk. */
function pathOfCache(): string {
  const folder = join(directory, 'r', 'scan');
  const [name, ...more] = readdirSync(folder);
  expect(more).toEqual([]);
  return join(folder, name!);
}

function save(paths: readonly string[], into: ScanCacheFile = file): void {
  const writer = into.write();
  const records = new RecordWriter((bytes) => writer.add(bytes));
  for (const path of paths) {
    records.add(path, {
      treeId,
      entries: Buffer.from(`entries of ${path}`, 'latin1'),
      contents: encodeContents([treeId]),
    });
  }
  records.flush();
  writer.commit(snapshot);
}

function find(path: string, from: ScanCacheFile = file): string | undefined {
  const shared = from.load(snapshot);
  return shared && new ScanCache(shared).find(path)?.entries.toString('latin1');
}

const paths = fc.uniqueArray(
  fc
    .array(fc.integer({ min: 1, max: 255 }), { maxLength: 20 })
    .map((bytes) => `/${String.fromCharCode(...bytes)}`),
  { maxLength: 60 },
);

describe('the scan cache', () => {
  test('finds each directory that was put in, and no other', () => {
    fc.assert(
      fc.property(paths, paths, (known, asked) => {
        save(known);
        for (const path of known) expect(find(path)).toBe(`entries of ${path}`);
        for (const path of asked) if (!known.includes(path)) expect(find(path)).toBeUndefined();
      }),
      { numRuns: 30 },
    );
  });

  test('brings a record back whole', () => {
    const contents = [treeId, undefined, Buffer.alloc(96, 3), Buffer.alloc(0)];
    const writer = file.write();
    const records = new RecordWriter((bytes) => writer.add(bytes));
    records.add('/a', { treeId, entries: Buffer.from('e'), contents: encodeContents(contents) });
    records.flush();
    writer.commit(snapshot);
    const record = new ScanCache(file.load(snapshot)!).find('/a')!;
    expect(record.treeId).toEqual(treeId);
    expect(decodeContents(record.contents)).toEqual(contents.map((ids) => ids ?? Buffer.alloc(0)));
  });

  test('is none for another snapshot, other paths or another repository', () => {
    save(['/a']);
    expect(file.load(other)).toBeUndefined();
    expect(scanCacheFile(directory, 'r', ['/a', '/b']).load(snapshot)).toBeUndefined();
    expect(scanCacheFile(directory, 's', ['/a']).load(snapshot)).toBeUndefined();
    expect(find('/a')).toBeDefined();
  });

  test('is none when any one byte of it was damaged, or its end is missing', () => {
    save(['/a', '/a/b']);
    const path = pathOfCache();
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at += 1) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 1 << (at % 8);
      writeFileSync(path, damaged);
      expect(file.load(snapshot), `byte ${at}`).toBeUndefined();
      writeFileSync(path, whole.subarray(0, at));
      expect(file.load(snapshot), `cut at ${at}`).toBeUndefined();
    }
    writeFileSync(path, whole);
    expect(find('/a/b')).toBe('entries of /a/b');
  });

  test('stays the old one when the next is given up, and nothing is left of that', () => {
    save(['/a']);
    const writer = file.write();
    writer.add(Buffer.from('half a record'));
    writer.discard();
    expect(find('/a')).toBeDefined();
    pathOfCache();
  });

  test('what a killed run left is overwritten, and two runs at once harm each other’s cache only', () => {
    file.write().add(Buffer.from('killed here'));
    save(['/a']);
    expect(find('/a')).toBeDefined();
    const [first, second] = [file.write(), file.write()];
    first.commit(snapshot);
    second.commit(snapshot);
    expect(() => file.load(snapshot)).not.toThrow();
    save(['/a']);
    expect(find('/a')).toBeDefined();
    pathOfCache();
  });

  test('a place that cannot be written to is no reason to fail', () => {
    const blocked = join(directory, 'blocked');
    writeFileSync(blocked, 'a file where a folder should be');
    const nowhere = scanCacheFile(blocked, 'r', ['/a']);
    save(['/a'], nowhere);
    expect(nowhere.load(snapshot)).toBeUndefined();
  });

  test('can be read by its owner only, and says that it is a cache', () => {
    save(['/a']);
    expect(statSync(pathOfCache()).mode & 0o077).toBe(0);
    expect(readFileSync(join(directory, 'CACHEDIR.TAG'), 'utf8')).toMatch(
      /^Signature: 8a477f597d28d172789f06886806bc55/,
    );
  });
});
