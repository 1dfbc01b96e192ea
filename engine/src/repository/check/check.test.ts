import { beforeAll, describe, expect, test } from 'vitest';
import { CONFIG, type FileType, type Handle } from '../../backend/backend.ts';
import { encodeIndexFile } from '../../format/index-file.ts';
import { encodeTree } from '../../format/tree.ts';
import type { PackedBlob, StoredSnapshot } from '../../format/types.ts';
import { Failure } from '../../kernel/failure.ts';
import { fault, noise } from '../../testing/index.ts';
import { cutOff, flipBit, node, patientClock, SmallRepository } from '../../testing/small-repository.ts';
import { forgetSnapshots } from '../forget.ts';
import type { Index } from '../index.ts';
import { addKey } from '../keys.ts';
import { PackContents } from '../pack-contents.ts';
import { pruneRepository } from '../prune/prune.ts';
import type { Repository } from '../repository.ts';
import { checkRepository } from './check.ts';
import type { CheckFinding, CheckOptions, CheckReport } from './report.ts';

let original: SmallRepository;
let first: StoredSnapshot;
let second: StoredSnapshot;

const A = { 'one.txt': noise(5_000, 1), 'two.txt': noise(6_000, 2) };
const B = { 'three.txt': 'three' };
const C = { 'four.txt': noise(7_000, 4) };

beforeAll(async () => {
  original = await SmallRepository.create();
  await addKey(original.repository, 'another', { clock: patientClock, kdf: { N: 2 ** 14, r: 8, p: 1 } });
  first = await original.backup({ a: A, b: B }, '2026-01-01T00:00:00Z');
  second = await original.backup({ a: A, b: B, c: C }, '2026-01-02T00:00:00Z');
});

async function check(repository: Repository, options: Partial<CheckOptions> = {}): Promise<CheckReport> {
  return await checkRepository(repository, {
    clock: patientClock,
    random: () => 0.5,
    readData: 'all',
    threads: 1,
    ...options,
  });
}

function codes(report: CheckReport): string[] {
  return report.findings.map(({ code }) => code).sort();
}

function finding(report: CheckReport, code: string): CheckFinding {
  const found = report.findings.find((finding) => finding.code === code);
  if (found === undefined) throw new Error(`no ${code} in ${JSON.stringify(report.findings)}`);
  return found;
}

/** The pack that holds a blob of a snapshot, and where. */
async function packOf(
  type: PackedBlob['type'],
  at: number,
): Promise<{ handle: Handle; blobs: PackedBlob[] }> {
  const found: { id: string; blobs: PackedBlob[] }[] = [];
  const { index } = await original.repository.loadIndex();
  const contents = PackContents.of(index);
  for (const [number, id] of index.packs.entries()) {
    const blobs = contents.blobsOf(number);
    if (blobs[0]?.type === type) found.push({ id, blobs });
  }
  // The first backup's pack has more blobs than the second's.
  const pack = found.sort((a, b) => b.blobs.length - a.blobs.length)[at];
  if (pack === undefined) throw new Error('no such pack');
  return { handle: { type: 'pack', name: pack.id }, blobs: pack.blobs };
}

async function anyFile(type: FileType, position = 0): Promise<Handle> {
  const names: string[] = [];
  for await (const { name } of original.repository.backend.list(type)) names.push(name);
  const name = names[position];
  if (name === undefined) throw new Error(`no ${type}`);
  return { type, name };
}

function labels(...paths: [StoredSnapshot, string][]): string[] {
  return paths.map(([{ id }, path]) => `snapshot ${id.slice(0, 8)}:${path}`);
}

describe('a sound repository', () => {
  test('is found sound, and everything was read', async () => {
    const report = await check(original.repository);
    expect(report).toMatchObject({
      sound: true,
      findings: [],
      unchecked: [],
      unused: { blobs: 0, bytes: 0 },
      checked: { keys: 2, snapshots: 2, indexFiles: 2, packs: 4, packsRead: 4, trees: 5, blobs: 9 },
    });
  });

  test('is not called checked in what was not read', async () => {
    const report = await check(original.repository, { readData: 'none' });
    expect(report.sound).toBe(true);
    expect(report.checked.packsRead).toBe(0);
    expect(report.unchecked).toEqual([expect.stringContaining('contents of the files were not read')]);
  });

  test('says how much of it was read when that was a part', async () => {
    const report = await check(original.repository, { readData: { percent: 50 } });
    expect(report.checked.packsRead).toBe(2);
    expect(report.unchecked).toEqual([expect.stringContaining('2 of 4 packs were not read')]);
  });

  test('has unused blobs once a snapshot is forgotten', async () => {
    const copy = original.clone();
    await copy.repository.backend.remove({ type: 'snapshot', name: second.id });
    const report = await check(copy.repository);
    expect(report.sound).toBe(true);
    expect(report.unused.blobs).toBe(3);
  });

  test('leaves no lock behind', async () => {
    const copy = original.clone();
    await check(copy.repository);
    expect([...copy.files.keys()].filter((path) => path.includes('lock'))).toEqual([]);
  });
});

describe('small files', () => {
  test('a damaged config is found', async () => {
    for (const change of [flipBit(20), cutOff(5)]) {
      const copy = original.clone();
      await copy.damage(CONFIG, change);
      expect(codes(await check(copy.repository))).toEqual(['config.damaged']);
    }
    const copy = original.clone();
    await copy.repository.backend.remove(CONFIG);
    expect(codes(await check(copy.repository))).toEqual(['config.damaged']);
  });

  test('a damaged key is found', async () => {
    for (const change of [flipBit(20), flipBit(-20), cutOff(5)]) {
      const copy = original.clone();
      await copy.damage(await anyFile('key'), change);
      expect(codes(await check(copy.repository))).toEqual(['key.damaged']);
    }
  });

  test('a damaged lock is found, when the check is to go on in spite of it', async () => {
    const copy = original.clone();
    await copy.repository.backend.save({ type: 'lock', name: 'ab'.repeat(32) }, Buffer.from('no lock'));
    expect(codes(await check(copy.repository, { lock: false }))).toEqual(['lock.damaged']);
    await expect(check(copy.repository)).rejects.toMatchObject({ code: 'repository.locked' });
  });

  test('a damaged snapshot is found', async () => {
    for (const change of [flipBit(40), cutOff(5)]) {
      const copy = original.clone();
      await copy.damage({ type: 'snapshot', name: first.id }, change);
      const report = await check(copy.repository);
      expect(codes(report)).toEqual(['snapshot.damaged']);
      expect(report.unchecked).toEqual([expect.stringContaining('snapshots that cannot be read')]);
    }
  });
});

describe('the index', () => {
  test('a damaged index file stops no check, and what it named is missing', async () => {
    for (const change of [flipBit(40), cutOff(5)]) {
      const copy = original.clone();
      for (const position of [0, 1]) await copy.damage(await anyFile('index', position), change);
      const report = await check(copy.repository);
      expect(codes(report)).toEqual(['blob.missing', 'index.damaged', 'index.damaged', 'pack.unindexed']);
      expect(finding(report, 'blob.missing').affected).toEqual({
        total: 2,
        paths: labels([second, '/'], [first, '/']),
      });
    }
  });

  test('an index file that is gone leaves packs that nobody names and snapshots without blobs', async () => {
    const copy = original.clone();
    for (const position of [0, 1]) await copy.repository.backend.remove(await anyFile('index', position));
    expect(codes(await check(copy.repository))).toEqual(['blob.missing', 'pack.unindexed']);
  });

  test('a pack that only waits for its deletion and is still needed is found', async () => {
    const copy = original.clone();
    const { handle, blobs } = await packOf('data', 0);
    await rewriteIndexes(copy, (id) => id === handle.name);
    const report = await check(copy.repository);
    expect(codes(report)).toEqual(['pack.marked', 'pack.marked-needed']);
    expect(blobs).toHaveLength(3);
    expect(finding(report, 'pack.marked-needed').affected?.total).toBe(6);
  });
});

/** One index file for all, in which some packs are marked for deletion. */
async function rewriteIndexes(copy: SmallRepository, isMarked: (pack: string) => boolean): Promise<void> {
  const { index } = await copy.repository.loadIndex();
  const contents = PackContents.of(index);
  const packs = index.packs.map((id, number) => ({ id, blobs: contents.blobsOf(number) }));
  for (const name of index.files) await copy.repository.backend.remove({ type: 'index', name });
  const marked = packs
    .filter(({ id }) => isMarked(id))
    .map((pack) => ({ ...pack, time: '2026-01-03T00:00:00Z' }));
  const json = encodeIndexFile(
    packs.filter(({ id }) => !isMarked(id)),
    marked,
  );
  await copy.repository.saveFile('index', json);
}

describe('packs of data', () => {
  test('one flipped bit in a blob is found, with the files that it costs', async () => {
    const copy = original.clone();
    const { handle, blobs } = await packOf('data', 0);
    await copy.damage(handle, flipBit((blobs[1]?.offset ?? 0) + 100));
    const report = await check(copy.repository);
    expect(codes(report)).toEqual(['pack.blob-damaged']);
    expect(finding(report, 'pack.blob-damaged').affected).toEqual({
      total: 2,
      paths: labels([second, '/a/two.txt'], [first, '/a/two.txt']),
    });
  });

  test('is not seen by a check that does not read data, which says so', async () => {
    const copy = original.clone();
    const { handle } = await packOf('data', 0);
    await copy.damage(handle, flipBit(100));
    const report = await check(copy.repository, { readData: 'none' });
    expect(report.sound).toBe(true);
    expect(report.unchecked).not.toEqual([]);
  });

  test('a damaged header or trailer costs no file', async () => {
    const { handle, blobs } = await packOf('data', 0);
    const last = blobs.at(-1);
    for (const at of [(last?.offset ?? 0) + (last?.length ?? 0) + 3, -1, -4, -10]) {
      const copy = original.clone();
      await copy.damage(handle, flipBit(at));
      const report = await check(copy.repository);
      expect(codes(report)).toEqual(['pack.header-damaged']);
      expect(finding(report, 'pack.header-damaged').affected).toBeUndefined();
    }
  });

  test('one that is cut off is found without reading it, with the files that it costs', async () => {
    const { handle, blobs } = await packOf('data', 0);
    const copy = original.clone();
    const end = (await copy.repository.backend.stat(handle)).size;
    await copy.damage(handle, cutOff(end - (blobs[2]?.offset ?? 0) - 1));
    const report = await check(copy.repository, { readData: 'none' });
    expect(codes(report)).toEqual(['pack.wrong-size']);
    expect(finding(report, 'pack.wrong-size').affected).toEqual({
      total: 2,
      paths: labels([second, '/b/three.txt'], [first, '/b/three.txt']),
    });
    expect(codes(await check(copy.repository))).toContain('pack.wrong-size');
  });

  test('one that is gone is found, with the files that it costs', async () => {
    const copy = original.clone();
    await copy.repository.backend.remove((await packOf('data', 1)).handle);
    const report = await check(copy.repository);
    expect(codes(report)).toEqual(['index.pack-missing']);
    expect(finding(report, 'index.pack-missing').affected).toEqual({
      total: 1,
      paths: labels([second, '/c/four.txt']),
    });
  });

  test('one that nobody needs is an error all the same: the next backup would rely on it', async () => {
    const copy = original.clone();
    await copy.repository.backend.remove({ type: 'snapshot', name: second.id });
    await copy.repository.backend.remove((await packOf('data', 1)).handle);
    const report = await check(copy.repository);
    expect(report.sound).toBe(false);
    expect(finding(report, 'index.pack-missing').affected).toBeUndefined();
  });

  test('a damaged blob that is whole elsewhere costs no file', async () => {
    const copy = original.clone();
    const { handle } = await packOf('data', 0);
    const { index } = await copy.repository.loadIndex();
    // Written again by somebody who did not know the index.
    for (const name of index.files) await copy.repository.backend.remove({ type: 'index', name });
    const writer = await copy.writer();
    writer.saveFiles({ a: A, b: B });
    await writer.finish();
    await copy.repository.saveFile('index', encodeAll(index));
    await copy.damage(handle, flipBit(100));
    const report = await check(copy.repository);
    expect(codes(report)).toEqual(['pack.blob-damaged']);
    expect(finding(report, 'pack.blob-damaged').affected).toBeUndefined();
  });
});

function encodeAll(index: Index): Buffer {
  const contents = PackContents.of(index);
  return encodeIndexFile(index.packs.map((id, number) => ({ id, blobs: contents.blobsOf(number) })));
}

describe('a pack that the storage cannot read', () => {
  test('is found, is not counted as read, and the others are checked', async () => {
    const copy = original.clone();
    const { handle } = await packOf('data', 0);
    const faulty = copy.behind((backend) => ({
      ...backend,
      async load(wanted, ...rest) {
        if (wanted.name === handle.name) throw new Failure('backend.io', 'the disk answers with an error');
        return await backend.load(wanted, ...rest);
      },
    }));
    const report = await check(faulty);
    expect(codes(report)).toEqual(['pack.unreadable']);
    expect(finding(report, 'pack.unreadable').affected?.total).toBe(6);
    expect(report.checked).toMatchObject({ packs: 4, packsRead: 3 });
  });

  test('because the connection is gone, ends the check instead: that says nothing about the pack', async () => {
    const unreachable = original.clone((backend) =>
      fault(backend, [{ call: 'load', type: 'pack', does: 'fail', code: 'backend.unreachable', times: 99 }]),
    );
    await expect(check(unreachable.repository)).rejects.toMatchObject({ code: 'backend.unreachable' });
  });
});

describe('packs of trees', () => {
  test('a flipped bit is found without reading data, with the directory that it costs', async () => {
    const copy = original.clone();
    const { handle, blobs } = await packOf('tree', 0);
    await copy.damage(handle, flipBit((blobs[0]?.offset ?? 0) + 40));
    for (const readData of ['none', 'all'] as const) {
      const report = await check(copy.repository, { readData });
      expect(codes(report)).toEqual(['pack.blob-damaged']);
      expect(finding(report, 'pack.blob-damaged').affected).toEqual({
        total: 2,
        paths: labels([second, '/a'], [first, '/a']),
      });
    }
  });

  test('a pack that is gone costs whole snapshots', async () => {
    const copy = original.clone();
    await copy.repository.backend.remove((await packOf('tree', 0)).handle);
    const report = await check(copy.repository);
    expect(codes(report)).toEqual(['index.pack-missing']);
    expect(finding(report, 'index.pack-missing').affected).toEqual({
      total: 3,
      paths: labels([second, '/a'], [second, '/b'], [first, '/']),
    });
  });

  test.each([
    ['tree.unsafe-name', treeOf('..')],
    ['tree.unsafe-name', treeOf('a/b')],
    ['tree.duplicate-name', treeOf('same', 'same')],
    ['tree.unsorted', treeOf('b', 'a')],
    ['tree.incomplete', encodeTree([node('d', { type: 'dir' })])],
    ['tree.damaged', Buffer.from('{"nodes":7}')],
  ])('%s: a tree that no honest program writes is found', async (code, content) => {
    const copy = original.clone();
    const writer = await copy.writer();
    const bad = writer.save('tree', content);
    const root = writer.save('tree', encodeTree([node('bad', { type: 'dir', subtree: bad })]));
    await writer.finish();
    const snapshot = await copy.saveSnapshot(root, '2026-01-03T00:00:00Z');
    const report = await check(copy.repository);
    expect(codes(report)).toEqual([code]);
    expect(finding(report, code).affected).toEqual({ total: 1, paths: labels([snapshot, '/bad']) });
  });
});

/** A tree of empty files with these names, in this order, as no encoder of ours writes it. */
function treeOf(...names: string[]): Buffer {
  const nodes = names.map((name) => {
    const encoded = encodeTree([node(name, { content: [] })])
      .toString()
      .trim();
    return encoded.slice('{"nodes":['.length, -']}'.length);
  });
  return Buffer.from(`{"nodes":[${nodes.join()}]}\n`);
}

describe('a finding', () => {
  test('lists the first hundred paths and counts all', async () => {
    const copy = original.clone();
    const shared = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`f${at}`, 'the same']));
    const writer = await copy.writer();
    const tree = writer.saveFiles({ x: shared, y: { z: shared } });
    await writer.finish();
    for (const day of [3, 4, 5]) await copy.saveSnapshot(tree, `2026-01-0${day}T00:00:00Z`);
    const { index } = await copy.repository.loadIndex();
    const known = new Set((await original.repository.loadIndex()).index.packs);
    for (const id of index.packs) {
      if (known.has(id)) continue;
      const bytes = await copy.repository.backend.load({ type: 'pack', name: id });
      // The pack with the one file's content is the smaller one.
      if (bytes.length < 200) await copy.repository.backend.remove({ type: 'pack', name: id });
    }
    const { affected } = finding(await check(copy.repository), 'index.pack-missing');
    expect(affected?.total).toBe(180);
    expect(affected?.paths).toHaveLength(100);
    expect(new Set(affected?.paths).size).toBe(100);
  });
});

describe('a check beside others', () => {
  test('does not take what a backup writes meanwhile for damage', async () => {
    for (const phase of ['snapshots', 'index', 'packs'] as const) {
      const copy = original.clone();
      const backup = copy.clone();
      await backup.backup({ a: A, d: { 'new.txt': noise(4_000, 9) } }, '2026-01-04T00:00:00Z');
      const report = await check(copy.repository, {
        onProgress: (progress) => {
          // All at once what a backup does one after the other: no step is later than this one.
          if (progress.phase === phase) for (const [path, bytes] of backup.files) copy.files.set(path, bytes);
        },
      });
      expect(report.sound).toBe(true);
      expect(copy.files.size).toBeGreaterThan(original.files.size);
    }
  });

  test('begins again when somebody pruned just before its lock counted', async () => {
    const copy = original.clone();
    const pruned = original.clone();
    await forgetSnapshots(pruned.repository, [first.id], { clock: patientClock });
    await pruneRepository(pruned.repository, {
      clock: patientClock,
      approve: () => true,
      maxUnused: { bytes: 0 },
      repackUncompressed: true,
      grace: 'none',
    });
    let snapshotsRead = 0;
    const report = await check(copy.repository, {
      onProgress: ({ phase }) => {
        if (phase === 'snapshots') snapshotsRead += 1;
        if (phase !== 'index' || snapshotsRead > 1) return;
        for (const path of copy.files.keys()) {
          if (!pruned.files.has(path) && !path.startsWith('locks/')) copy.files.delete(path);
        }
        for (const [path, bytes] of pruned.files) copy.files.set(path, bytes);
      },
    });
    expect(snapshotsRead).toBe(2);
    expect(report).toMatchObject({ sound: true, findings: [], checked: { snapshots: 1 } });
  });
});

test('a check that is stopped says so and leaves no lock', async () => {
  const copy = original.clone();
  const stop = new AbortController();
  const reason = new Error('stopped');
  const running = check(copy.repository, { signal: stop.signal, onProgress: () => stop.abort(reason) });
  await expect(running).rejects.toBe(reason);
  expect([...copy.files.keys()].filter((path) => path.includes('lock'))).toEqual([]);
});
