import {
  closeSync,
  ftruncateSync,
  lstatSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { TryLock } from './file-lock.ts';
import type { Holes } from './holes.ts';
import type { SpecialNodes } from './nodes.ts';
import { openPosix } from './posix.ts';
import type { Times } from './times.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-posix-'));
afterAll(() => rmSync(folder, { recursive: true }));

const posix = openPosix();
const [times, holes, nodes] = [posix.times as Times, posix.holes as Holes, posix.nodes as SpecialNodes];

function newFile(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, '');
  return path;
}

describe('times', () => {
  test('come back to the nanosecond, before 1970 as well', () => {
    const path = newFile('times');
    // 1901 to 2038 is what every file system keeps.
    const time = fc.bigInt({ min: -2_147_000_000_000_000_000n, max: 2_147_000_000_000_000_000n });
    fc.assert(
      fc.property(time, time, (atime, mtime) => {
        times.set(Buffer.from(path), { atime, mtime });
        const found = lstatSync(path, { bigint: true });
        expect([found.atimeNs, found.mtimeNs]).toEqual([atime, mtime]);
      }),
    );
  });

  test('one nanosecond before 1970 is no time in the far future', () => {
    const path = newFile('before');
    times.set(Buffer.from(path), { atime: -1n, mtime: -1_000_000_001n });
    const found = lstatSync(path, { bigint: true });
    expect([found.atimeNs, found.mtimeNs]).toEqual([-1n, -1_000_000_001n]);
  });

  test('of a symlink are its own', () => {
    const target = newFile('target');
    const link = join(folder, 'link');
    symlinkSync(target, link);
    const before = statSync(target, { bigint: true }).mtimeNs;
    times.set(Buffer.from(link), { atime: 1n, mtime: 1_600_000_000_123_456_789n });
    expect(lstatSync(link, { bigint: true }).mtimeNs).toBe(1_600_000_000_123_456_789n);
    expect(statSync(target, { bigint: true }).mtimeNs).toBe(before);
  });

  test('can be set through a descriptor', () => {
    const path = newFile('descriptor');
    const descriptor = openSync(path, 'r+');
    times.setOf(descriptor, { atime: 7n, mtime: 1_600_000_000_000_000_001n });
    closeSync(descriptor);
    const found = lstatSync(path, { bigint: true });
    expect([found.atimeNs, found.mtimeNs]).toEqual([7n, 1_600_000_000_000_000_001n]);
    expect(() => times.setOf(descriptor, { atime: 0n, mtime: 0n })).toThrow(
      expect.objectContaining({ code: 'EBADF', syscall: 'futimens' }),
    );
  });

  test('of a file that is not there are an error with its path', () => {
    expect(() => times.set(Buffer.from(`${folder}/none`), { atime: 0n, mtime: 0n })).toThrow(
      expect.objectContaining({ code: 'ENOENT', path: `${folder}/none` }),
    );
  });
});

describe('holes', () => {
  const MEBIBYTE = 1 << 20;

  test('of a sparse file are found, and its data', ({ skip }) => {
    const descriptor = openSync(newFile('sparse'), 'r+');
    try {
      ftruncateSync(descriptor, 16 * MEBIBYTE);
      if (holes.seekData(descriptor, 0) === 0) skip('this file system keeps no holes');
      expect(holes.seekData(descriptor, 0)).toBeUndefined();
      writeSync(descriptor, Buffer.alloc(MEBIBYTE, 1), 0, MEBIBYTE, 4 * MEBIBYTE);
      expect(holes.seekHole(descriptor, 0)).toBe(0);
      expect(holes.seekData(descriptor, 0)).toBe(4 * MEBIBYTE);
      expect(holes.seekHole(descriptor, 4 * MEBIBYTE)).toBe(5 * MEBIBYTE);
      expect(holes.seekData(descriptor, 5 * MEBIBYTE)).toBeUndefined();
    } finally {
      closeSync(descriptor);
    }
  });

  test('are found beyond 4 GiB', ({ skip }) => {
    const descriptor = openSync(newFile('large'), 'r+');
    const far = 6 * 1024 * MEBIBYTE;
    try {
      ftruncateSync(descriptor, far + MEBIBYTE);
      if (holes.seekData(descriptor, 0) === 0) skip('this file system keeps no holes');
      writeSync(descriptor, 'x', far);
      expect(holes.seekData(descriptor, 0)).toBe(far);
    } finally {
      closeSync(descriptor);
    }
  });

  test('of a full file: one, its end', () => {
    const path = newFile('full');
    writeFileSync(path, 'content');
    const descriptor = openSync(path, 'r');
    expect(holes.seekHole(descriptor, 0)).toBe(7);
    expect(holes.seekHole(descriptor, 7)).toBeUndefined();
    closeSync(descriptor);
    expect(() => holes.seekData(descriptor, 0)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  });
});

describe('a lock on a file', () => {
  test('is had by one at a time, and is free again when its descriptor is closed', () => {
    const path = newFile('lock');
    const [first, second] = [openSync(path, 'r'), openSync(path, 'r')];
    const tryLock = posix.tryLock as TryLock;
    expect(tryLock(first)).toBe(true);
    expect(tryLock(second)).toBe(false);
    closeSync(first);
    expect(tryLock(second)).toBe(true);
    closeSync(second);
    expect(() => tryLock(second)).toThrow(expect.objectContaining({ code: 'EBADF', syscall: 'flock' }));
  });
});

describe('special nodes', () => {
  test('a FIFO with its permissions', () => {
    const path = join(folder, 'fifo');
    nodes.make(Buffer.from(path), 0o010600, 0n);
    expect(lstatSync(path).isFIFO()).toBe(true);
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
    expect(() => nodes.make(Buffer.from(path), 0o010600, 0n)).toThrow(
      expect.objectContaining({ code: 'EEXIST', syscall: 'mknod', path }),
    );
  });

  test('a device with both its numbers, where permitted', ({ skip }) => {
    const path = join(folder, 'device');
    const device = lstatSync('/dev/null', { bigint: true }).rdev;
    try {
      nodes.make(Buffer.from(path), 0o020600, device);
    } catch (error) {
      expect(error).toMatchObject({ code: 'EPERM', errno: -constants.errno.EPERM });
      skip('making devices needs privilege');
    }
    const made = lstatSync(path, { bigint: true });
    expect([made.isCharacterDevice(), made.rdev]).toEqual([true, device]);

    // Minor 0x12345 of major 0x678: bits of the minor stand on both sides of the major.
    const wide = 0x12367845n;
    nodes.make(Buffer.from(`${path}-wide`), 0o060600, wide);
    expect(lstatSync(`${path}-wide`, { bigint: true }).rdev).toBe(wide);
  });

  test('a device number that the kernel would cut short is refused', () => {
    expect(() => nodes.make(Buffer.from(join(folder, 'cut')), 0o020600, 1n << 33n)).toThrow(/EINVAL/);
  });
});
