import { normalize } from 'node:path/posix';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isId } from '../kernel/id.ts';
import { CONFIG, type FileType } from './backend.ts';
import { belongsIn, directoriesOf, directoryOf, NEW_DIRECTORIES, pathOf } from './layout.ts';

const id = `ab${'0'.repeat(62)}`;

test('files lie where restic’s default layout has them', () => {
  expect(pathOf(CONFIG)).toBe('config');
  expect(pathOf({ type: 'key', name: id })).toBe(`keys/${id}`);
  expect(pathOf({ type: 'lock', name: id })).toBe(`locks/${id}`);
  expect(pathOf({ type: 'snapshot', name: id })).toBe(`snapshots/${id}`);
  expect(pathOf({ type: 'index', name: id })).toBe(`index/${id}`);
  expect(pathOf({ type: 'pack', name: id })).toBe(`data/ab/${id}`);
});

test('a new repository has every directory that a file could need, parents first', () => {
  expect(NEW_DIRECTORIES).toHaveLength(1 + 5 + 256);
  for (const [index, directory] of NEW_DIRECTORIES.entries()) {
    const parent = directory.includes('/') ? directory.slice(0, directory.lastIndexOf('/')) : '';
    if (directory !== '') expect(NEW_DIRECTORIES.slice(0, index)).toContain(parent);
  }
});

const types = fc.constantFrom<FileType>('key', 'lock', 'snapshot', 'index', 'pack');

test('a file is found where its type is listed', () => {
  const names = fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => Buffer.from(bytes).toString('hex'));
  fc.assert(
    fc.property(types, names, (type, name) => {
      const directory = directoryOf({ type, name });
      expect(directoriesOf(type)).toContain(directory);
      expect(NEW_DIRECTORIES).toContain(directory);
      expect(belongsIn(type, directory, name)).toBe(true);
      expect(normalize(pathOf({ type, name }))).toBe(`${directory}/${name}`);
    }),
  );
});

test('no name but an id becomes a path', () => {
  const names = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom('.', '/', 'a', '0', '\0'), maxLength: 70 }),
  );
  fc.assert(
    fc.property(types, names, (type, name) => {
      fc.pre(!isId(name));
      expect(() => pathOf({ type, name })).toThrow('64 hexadecimal digits');
      for (const directory of directoriesOf(type).slice(0, 2))
        expect(belongsIn(type, directory, name)).toBe(false);
    }),
  );
});
