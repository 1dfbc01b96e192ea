import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseFilesFrom, parseFilesFromRaw, parseFilesFromVerbatim } from './files-from.ts';
import { expandGlob, type Folders } from './glob.ts';

test('a list of patterns: trimmed, without comments and empty lines', () => {
  expect(parseFilesFrom(Buffer.from('/etc\n\n# no\n  /home/*/x y \r\n'))).toEqual(['/etc', '/home/*/x y']);
});

test('a verbatim list: every line as it stands, whatever its bytes', () => {
  expect(parseFilesFromVerbatim(Buffer.from(' a \n# b\n\n*\nlast'))).toEqual(
    [' a ', '# b', '*', 'last'].map((s) => Buffer.from(s)),
  );
  expect(parseFilesFromVerbatim(Buffer.from([0x61, 0xff, 0x0a]))).toEqual([Buffer.from([0x61, 0xff])]);
});

test('a raw list brings back any paths', () => {
  const path = fc
    .uint8Array({ minLength: 1 })
    .filter((bytes) => !bytes.includes(0))
    .map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.array(path), (paths) => {
      expect(parseFilesFromRaw(Buffer.concat(paths.flatMap((p) => [p, Buffer.alloc(1)])))).toEqual(paths);
    }),
  );
});

test('a raw list that was cut short or has an empty path is refused', () => {
  expect(() => parseFilesFromRaw(Buffer.from('/a\0/b'))).toThrow(expect.objectContaining({ code: 'usage' }));
  expect(() => parseFilesFromRaw(Buffer.from('/a\0\0'))).toThrow(/empty path at byte 3/);
});

/** A file system of the paths given; each but those that end with `/` is a file. */
function foldersOf(paths: readonly string[]): Folders {
  const entries = new Map<string, Set<string>>();
  const all = new Set<string>(['/', '.']);
  for (const path of paths) {
    const parts = path.split('/').filter((part) => part !== '');
    parts.forEach((part, i) => {
      const parent = (path.startsWith('/') ? '/' : '') + parts.slice(0, i).join('/') || '.';
      entries.set(parent, (entries.get(parent) ?? new Set()).add(part));
      all.add((path.startsWith('/') ? '/' : '') + parts.slice(0, i + 1).join('/'));
    });
  }
  return {
    list: (path) => {
      const names = entries.get(path.toString('latin1'));
      return names && [...names].map((name) => Buffer.from(name, 'latin1'));
    },
    exists: (path) => all.has(path.toString('latin1')),
  };
}

test('a glob stands for what is there', () => {
  const folders = foldersOf([
    '/srv/b/data',
    '/srv/a/data',
    '/srv/c/other',
    '/srv/.h/data',
    '/srv/file',
    '/x*y',
    'rel/z.txt',
    'top',
  ]);
  const expand = (pattern: string) => expandGlob(pattern, folders).map((path) => path.toString());
  expect(expand('/srv/*/data')).toEqual(['/srv/.h/data', '/srv/a/data', '/srv/b/data']);
  expect(expand('/srv/[ab]/*')).toEqual(['/srv/a/data', '/srv/b/data']);
  expect(expand('/srv/file/*')).toEqual([]);
  expect(expand('/srv/file')).toEqual(['/srv/file']);
  expect(expand('/nothing')).toEqual([]);
  expect(expand('/x\\*y')).toEqual(['/x*y']);
  expect(expand('*/*.txt')).toEqual(['rel/z.txt']);
  expect(expand('t?p')).toEqual(['top']);
  expect(expand('/**/a')).toEqual(['/srv/a']);
  expect(expand('/srv//a/')).toEqual(['/srv/a']);
  expect(expand('/')).toEqual(['/']);
  expect(expand('.')).toEqual(['.']);
});

test('a glob finds names that are no text', () => {
  const folders = foldersOf(['/d/\xff.txt']);
  expect(expandGlob('/d/?.txt', folders)).toEqual([Buffer.from('/d/\xff.txt', 'latin1')]);
});

test('a malformed glob is refused, even where nothing is', () => {
  expect(() => expandGlob('/nowhere/[a', foldersOf([]))).toThrow(expect.objectContaining({ code: 'usage' }));
});
