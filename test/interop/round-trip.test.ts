import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backupFiles } from '../../engine/src/archive/backup/backup.ts';
import { restoreSnapshot } from '../../engine/src/archive/restore/restore.ts';
import { openMemory } from '../../engine/src/backend/memory/memory.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { openPosix } from '../../engine/src/kernel/posix/posix.ts';
import { createRepository } from '../../engine/src/repository/open.ts';
import { listTree } from './tree-listing.ts';

const posix = openPosix();

/** An entry to make; a link goes to the first file of its directory. */
type Entry =
  | {
      readonly kind: 'file';
      readonly size: number;
      readonly seed: number;
      readonly hole: boolean;
      readonly value: string;
    }
  | { readonly kind: 'symlink'; readonly to: string }
  | { readonly kind: 'link' }
  | { readonly kind: 'fifo' }
  | { readonly kind: 'directory'; readonly entries: readonly Named[] };

interface Named {
  readonly name: Buffer;
  readonly mode: number;
  readonly mtime: bigint;
  readonly entry: Entry;
}

const name = fc
  .uint8Array({ minLength: 1, maxLength: 30 })
  .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x5f : byte))))
  .filter((bytes) => !['.', '..'].includes(bytes.toString('latin1')));

const size = fc.oneof(
  { weight: 6, arbitrary: fc.nat(5000) },
  { weight: 1, arbitrary: fc.integer({ min: 1_000_000, max: 6_000_000 }) },
);

const file = fc.record({
  kind: fc.constant('file' as const),
  size,
  seed: fc.nat(255),
  hole: fc.boolean(),
  value: fc.string({ maxLength: 20 }),
});

const { tree } = fc.letrec<{ tree: Named[]; entry: Entry }>((tie) => ({
  tree: fc.uniqueArray(
    fc.record({
      name,
      // Whoever restores has to be able to enter and to read.
      mode: fc.integer({ min: 0, max: 0o7777 }).map((mode) => mode | 0o700),
      mtime: fc.bigInt({ min: 0n, max: 4_000_000_000_000_000_000n }),
      entry: tie('entry'),
    }),
    { maxLength: 6, selector: (entry) => entry.name.toString('latin1') },
  ),
  entry: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    file,
    fc.record({
      kind: fc.constant('symlink' as const),
      to: fc.string({ minLength: 1, maxLength: 60 }).filter((to) => !to.includes('\0')),
    }),
    fc.constant({ kind: 'link' } as const),
    fc.constant({ kind: 'fifo' } as const),
    fc.record({ kind: fc.constant('directory' as const), entries: tie('tree') }),
  ),
}));

function make(directory: Buffer, entries: readonly Named[]): void {
  let first: Buffer | undefined;
  for (const { name, mode, mtime, entry } of entries) {
    const path = Buffer.concat([directory, Buffer.from('/'), name]);
    const times = { atime: mtime, mtime };
    if (entry.kind === 'symlink') {
      symlinkSync(entry.to, path);
      posix.times?.set(path, times);
      continue;
    }
    if (entry.kind === 'link') {
      if (first !== undefined) linkSync(first, path);
      continue;
    }
    if (entry.kind === 'fifo') posix.nodes?.make(path, 0o010600, 0n);
    else if (entry.kind === 'directory') {
      mkdirSync(path);
      make(path, entry.entries);
    } else {
      writeFileSync(path, contentOf(entry.size, entry.seed));
      if (entry.hole) truncateSync(path, entry.size + 300_000);
      if (entry.value !== '')
        posix.attributes?.set(path, Buffer.from('user.holdfast'), Buffer.from(entry.value));
      first ??= path;
    }
    chmodSync(path, mode);
    posix.times?.set(path, times);
  }
}

/** Compresses a little, differs by seed, and is not cut at the same places. */
function contentOf(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed + 1;
  for (let at = 0; at < size; at += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    bytes[at] = (state >> 16) & (at % 3 === 0 ? 0xff : 0x0f);
  }
  return bytes;
}

test('whatever tree is backed up, the same comes back, and once more over itself', async () => {
  const options = { clock: systemClock, workers: 2 };
  await fc.assert(
    fc.asyncProperty(tree, async (entries) => {
      const scratch = mkdtempSync(join(tmpdir(), 'holdfast-round-trip-'));
      try {
        const source = join(scratch, 'source');
        mkdirSync(source);
        make(Buffer.from(source), entries);
        const repository = await createRepository(openMemory(), 'test', {
          kdf: { N: 2, r: 1, p: 1 },
          clock: systemClock,
        });
        const problems: unknown[] = [];
        const { tree: saved } = await backupFiles(repository, {
          ...options,
          paths: ['source'],
          workingDirectory: scratch,
          labels: {
            hostname: 'here',
            username: 'me',
            uid: 0,
            gid: 0,
            tags: [],
            time: '2026-11-21T12:00:00Z',
            programVersion: 'test',
          },
          selection: { patterns: [], patternsIgnoringCase: [], tagFiles: [] },
          onProblem: (problem) => problems.push(problem),
        });
        const target = join(scratch, 'target');
        const indexed = await repository.loadIndex();
        for (const round of ['first', 'again']) {
          const { counts } = await restoreSnapshot(
            indexed,
            { tree: saved },
            {
              ...options,
              target,
              verify: true,
              onProblem: (problem) => problems.push(problem),
            },
          );
          expect([round, problems]).toEqual([round, []]);
          if (round === 'again') expect(counts.bytesWritten).toBe(0);
          expect(listTree(join(target, 'source'))).toEqual(listTree(source));
        }
      } finally {
        rmSync(scratch, { recursive: true });
      }
    }),
    { numRuns: 25 },
  );
});
