import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { Attributes } from './attributes.ts';
import { openPosix } from './posix.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-attributes-'));
afterAll(() => rmSync(folder, { recursive: true }));

const attributes = openPosix().attributes as Attributes;

let files = 0;
function newFile(): Buffer {
  const path = join(folder, `file-${files++}`);
  writeFileSync(path, 'content');
  return Buffer.from(path);
}

const keepsAttributes = (() => {
  try {
    attributes.set(newFile(), Buffer.from('user.probe'), Buffer.from('x'));
    return true;
  } catch {
    return false;
  }
})();

test('a file without attributes has an empty list', () => {
  expect(attributes.list(newFile())).toEqual([]);
});

test('a file that is not there is an error like those of node:fs', () => {
  const path = Buffer.from(join(folder, 'nothing'));
  expect(() => attributes.list(path)).toThrow(
    expect.objectContaining({ code: 'ENOENT', errno: -2, syscall: 'llistxattr', path: path.toString() }),
  );
  expect(() => attributes.get(path, Buffer.from('user.a'))).toThrow(
    expect.objectContaining({ code: 'ENOENT' }),
  );
  expect(() => attributes.set(path, Buffer.from('user.a'), Buffer.alloc(1))).toThrow(/ENOENT: no such file/);
});

test('a path with a NUL is refused instead of being cut short', () => {
  const path = newFile();
  expect(() => attributes.list(Buffer.concat([path, Buffer.from('\0.jpg')]))).toThrow(
    expect.objectContaining({ code: 'EINVAL' }),
  );
});

test('a file system without attributes has empty lists', ({ skip }) => {
  if (process.platform !== 'linux') skip('needs /proc');
  expect(attributes.list(Buffer.from('/proc/self/status'))).toEqual([]);
  expect(attributes.get(Buffer.from('/proc/self/status'), Buffer.from('user.a'))).toBeUndefined();
});

describe.skipIf(!keepsAttributes)(
  'where the file system keeps attributes (here: the temporary directory)',
  () => {
    test('any bytes come back as name and value', () => {
      const path = newFile();
      const name = fc
        .uint8Array({ minLength: 1, maxLength: 100 })
        .filter((bytes) => !bytes.includes(0))
        .map((bytes) => Buffer.concat([Buffer.from('user.'), bytes]));
      fc.assert(
        fc.property(name, fc.uint8Array({ maxLength: 2000 }), (attribute, value) => {
          attributes.set(path, attribute, value);
          expect(attributes.list(path)).toEqual([attribute]);
          expect(attributes.get(path, attribute)).toEqual(Buffer.from(value));
          attributes.remove(path, attribute);
          expect(attributes.list(path)).toEqual([]);
          expect(attributes.get(path, attribute)).toBeUndefined();
        }),
        { numRuns: 50 },
      );
    });

    test('a path is bytes, not text', () => {
      const path = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0x80, 0x0a, 0xe4])]);
      writeFileSync(path, '');
      attributes.set(path, Buffer.from('user.a'), Buffer.from('1'));
      expect(attributes.get(path, Buffer.from('user.a'))).toEqual(Buffer.from('1'));
    });

    test('lists and values larger than the first buffer come back whole', () => {
      const path = newFile();
      const names = Array.from({ length: 20 }, (_, i) => Buffer.from(`user.${String(i).padStart(100, 'n')}`));
      for (const name of names) attributes.set(path, name, Buffer.alloc(0));
      expect(attributes.list(path).toSorted(Buffer.compare)).toEqual(names.toSorted(Buffer.compare));

      const value = Buffer.alloc(1500, 'v');
      const other = newFile();
      attributes.set(other, Buffer.from('user.large'), value);
      const fresh = openPosix().attributes as Attributes;
      expect(fresh.get(other, Buffer.from('user.large'))).toEqual(value);
    });

    test('what was returned does not change when the next file is read', () => {
      const [first, second] = [newFile(), newFile()];
      attributes.set(first, Buffer.from('user.a'), Buffer.from('first'));
      attributes.set(second, Buffer.from('user.b'), Buffer.from('other'));
      const [names, value] = [attributes.list(first), attributes.get(first, Buffer.from('user.a'))];
      attributes.list(second);
      attributes.get(second, Buffer.from('user.b'));
      expect(names).toEqual([Buffer.from('user.a')]);
      expect(value).toEqual(Buffer.from('first'));
    });

    test('a symlink answers for itself, not for its target', () => {
      const target = newFile();
      attributes.set(target, Buffer.from('user.a'), Buffer.from('1'));
      const link = join(folder, 'link');
      symlinkSync(target, link);
      expect(attributes.list(Buffer.from(link))).toEqual([]);
      symlinkSync('/nowhere/at/all', `${link}-dangling`);
      expect(attributes.list(Buffer.from(`${link}-dangling`))).toEqual([]);
    });

    test('a POSIX ACL is an attribute that can be copied to another file', ({ skip }) => {
      if (process.platform !== 'linux') skip('macOS keeps ACLs elsewhere');
      // Version 2, then tag, permissions, id: user::rw-, user:4321:r--, group::r--, mask::r--, other::---
      const entries = [
        [1, 6, -1],
        [2, 4, 4321],
        [4, 4, -1],
        [16, 4, -1],
        [32, 0, -1],
      ] as const;
      const acl = Buffer.alloc(4 + 8 * entries.length);
      acl.writeUInt32LE(2, 0);
      for (const [i, [tag, permissions, id]] of entries.entries()) {
        acl.writeUInt16LE(tag, 4 + i * 8);
        acl.writeUInt16LE(permissions, 6 + i * 8);
        acl.writeInt32LE(id, 8 + i * 8);
      }
      const name = Buffer.from('system.posix_acl_access');
      const [first, second] = [newFile(), newFile()];
      try {
        attributes.set(first, name, acl);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOTSUP') skip('this file system has no ACLs');
        throw error;
      }
      expect(attributes.list(first)).toEqual([name]);
      attributes.set(second, name, attributes.get(first, name) as Buffer);
      expect(attributes.get(second, name)).toEqual(acl);

      const directory = Buffer.from(join(folder, 'acl'));
      mkdirSync(directory);
      attributes.set(directory, Buffer.from('system.posix_acl_default'), acl);
      expect(attributes.list(directory)).toEqual([Buffer.from('system.posix_acl_default')]);
    });
  },
);

test('the content of a file is untouched by its attributes', () => {
  const path = newFile();
  if (keepsAttributes) attributes.set(path, Buffer.from('user.a'), Buffer.from('1'));
  expect(readFileSync(path, 'utf8')).toBe('content');
});
