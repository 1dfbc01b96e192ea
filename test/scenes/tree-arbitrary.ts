import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import fc from 'fast-check';
import { openPosix } from '../../engine/src/kernel/posix/posix.ts';

/** A tree that is to be grown on disk. Names and targets are byte strings: one character a byte. */
export interface Branch {
  readonly name: string;
  readonly mode: number;
  /** Nanoseconds since the epoch. */
  readonly mtime: bigint;
  readonly owner: number;
  /** Values of extended attributes, by name. */
  readonly attributes: Readonly<Record<string, Uint8Array>>;
  readonly is:
    | {
        readonly kind: 'file';
        readonly size: number;
        readonly seed: number;
        readonly links: readonly string[];
      }
    | { readonly kind: 'sparse'; readonly size: number; readonly dataAt: number }
    | { readonly kind: 'symlink'; readonly target: string }
    | { readonly kind: 'fifo' }
    | { readonly kind: 'directory'; readonly branches: readonly Branch[] };
}

const MiB = 1024 * 1024;

const byte = fc.oneof(
  fc.integer({ min: 0x61, max: 0x7a }),
  fc.constantFrom(0x20, 0x22, 0x5c, 0x0a, 0x2d, 0x2a, 0x7f, 0x01, 0xc3, 0xa4, 0xff, 0x80, 0xe2, 0x80, 0xa8),
  fc.integer({ min: 1, max: 255 }).filter((value) => value !== 0x2f),
);
const name = fc
  .array(byte, { minLength: 1, maxLength: 255, size: 'small' })
  .map((bytes) => String.fromCharCode(...bytes))
  .filter((text) => text !== '.' && text !== '..');
const longName = byte
  .map((value) => String.fromCharCode(value).repeat(255))
  .filter((text) => !text.startsWith('.'));

/** Restics before 0.17 have targets as text alone, and would restore other bytes. */
const textTarget = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 60 })
  .filter((text) => !text.includes('\0') && text.isWellFormed())
  .map((text) => Buffer.from(text).toString('latin1'));

/** Around where the chunker cuts at the earliest and the latest, and around a pipe's and a page's worth. */
const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 3000 }) },
  { weight: 2, arbitrary: fc.constantFrom(0, 1, 4095, 4096, 65_536, 128 * 1024 - 1) },
  { weight: 2, arbitrary: fc.constantFrom(512 * 1024 - 1, 512 * 1024, 512 * 1024 + 1, MiB, 3 * MiB + 7) },
  { weight: 1, arbitrary: fc.constantFrom(8 * MiB - 1, 8 * MiB, 8 * MiB + 1, 17 * MiB) },
);

const mtime = fc.oneof(
  fc.bigInt({ min: 0n, max: 4_000_000_000_000_000_000n }),
  fc.bigInt({ min: -2_000_000_000_000_000_000n, max: -1n }),
  fc.constantFrom(0n, 1n, -1n, 999_999_999n, 1_000_000_000n),
);

const leaf = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('file' as const),
      size,
      seed: fc.integer({ min: 0, max: 5 }),
      links: fc.array(name, { maxLength: 1 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('sparse' as const),
      size: fc.constantFrom(MiB, MiB, MiB, 65 * MiB),
      dataAt: fc.integer({ min: 0, max: MiB - 1 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('symlink' as const),
      target: fc.oneof(textTarget, fc.constantFrom('..', '/', '../../etc/passwd', 'x'.repeat(1000))),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fifo' as const) }) },
);

function branchOf(is: fc.Arbitrary<Branch['is']>): fc.Arbitrary<Branch> {
  return fc.record({
    name: fc.oneof({ weight: 12, arbitrary: name }, { weight: 1, arbitrary: longName }),
    mode: fc.oneof(fc.constantFrom(0o644, 0o755, 0o600), fc.integer({ min: 0, max: 0o7777 })),
    mtime,
    owner: fc.constantFrom(0, 0, 1, 12345, 2 ** 31 + 5),
    attributes: fc.dictionary(
      fc.constantFrom('user.a', 'user.äöü', 'user.empty', 'trusted.x'),
      fc.uint8Array({ maxLength: 300 }),
      { maxKeys: 2 },
    ),
    is,
  });
}

/** Trees up to three levels deep, with anything that a file system of Linux may hold. */
export const branches: fc.Arbitrary<readonly Branch[]> = fc.letrec<{ level: readonly Branch[] }>((tie) => ({
  level: fc.uniqueArray(
    fc.oneof(
      { maxDepth: 3, depthSize: 'small', withCrossShrink: true },
      branchOf(leaf),
      branchOf(fc.record({ kind: fc.constant('directory' as const), branches: tie('level') })),
    ),
    { selector: (branch) => branch.name, maxLength: 8 },
  ),
})).level;

const posix = openPosix();
const isRoot = process.getuid?.() === 0;

/** Grows branches below `directory`. Without root owners, and attributes that need it, are left as they are. */
export function grow(directory: string, given: readonly Branch[]): void {
  growBelow(Buffer.from(directory), given);
}

function growBelow(directory: Buffer, given: readonly Branch[]): void {
  const taken = new Set(given.map((branch) => branch.name));
  for (const branch of given) {
    const path = joined(directory, branch.name);
    make(path, branch);
    if (branch.is.kind === 'file') {
      for (const link of branch.is.links) {
        if (taken.has(link)) continue;
        taken.add(link);
        linkSync(path, joined(directory, link));
      }
    }
    if (isRoot) lchownSync(path, branch.owner, branch.owner);
    if (branch.is.kind !== 'symlink') chmodSync(path, isRoot ? branch.mode : branch.mode | 0o600);
    giveAttributes(path, branch);
  }
  // Times last: making an entry changes its directory's.
  for (const branch of given) {
    posix.times?.set(joined(directory, branch.name), { atime: branch.mtime, mtime: branch.mtime });
  }
}

function make(path: Buffer, { is }: Branch): void {
  if (is.kind === 'file') writeFileSync(path, contentOf(is.size, is.seed));
  if (is.kind === 'symlink') symlinkSync(Buffer.from(is.target, 'latin1'), path);
  if (is.kind === 'fifo') posix.nodes?.make(path, 0o010600, 0n);
  if (is.kind === 'directory') {
    mkdirSync(path);
    growBelow(path, is.branches);
  }
  if (is.kind === 'sparse') {
    const file = openSync(path, 'w');
    writeSync(file, Buffer.from('data'), 0, 4, is.dataAt);
    writeSync(file, Buffer.from([0]), 0, 1, is.size - 1);
    closeSync(file);
  }
}

/** Of one seed any two contents begin alike, so that some of their chunks are the same. */
export function contentOf(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0, block = 0; at < size; at += 32_768, block += 1) {
    const digest = createHash('shake256', { outputLength: 32_768 }).update(`${seed} ${block}`).digest();
    digest.copy(bytes, at);
  }
  return bytes;
}

function giveAttributes(path: Buffer, { is, attributes }: Branch): void {
  // Only files and folders may have those of users.
  if (is.kind !== 'file' && is.kind !== 'directory') return;
  for (const [attribute, value] of Object.entries(attributes)) {
    if (attribute.startsWith('trusted.') && !isRoot) continue;
    posix.attributes?.set(path, Buffer.from(attribute), value);
  }
}

function joined(directory: Buffer, name: string): Buffer {
  return Buffer.concat([directory, Buffer.from('/'), Buffer.from(name, 'latin1')]);
}
