import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../backend/backend.ts';
import type { StoredSnapshot } from '../../format/types.ts';
import { Failure } from '../../kernel/failure.ts';
import { sha256Id } from '../../kernel/hash.ts';
import { checkRepository } from '../../repository/check/check.ts';
import { removeLocks } from '../../repository/lock-files.ts';
import type { Repository } from '../../repository/repository.ts';
import { noise } from '../../testing/backend-suite.ts';
import {
  type Files,
  flipBit,
  killedAfter,
  patientClock,
  SmallRepository,
} from '../../testing/small-repository.ts';
import { copySnapshots } from './copy.ts';
import type { CopyOptions, CopyReport } from './report.ts';

const PACK = 8_000;
const empty = new Map<string, SmallRepository>();
let source: SmallRepository;
let snapshots: StoredSnapshot[];

/** An empty repository; each name has a key of its own. */
function target(version: 1 | 2 = 2, name: 'there' | 'here' = 'there'): SmallRepository {
  return (empty.get(`${name} ${version}`) as SmallRepository).clone();
}

/** Half of each can be compressed. */
function content(seed: number, length = 3_000): Uint8Array {
  return Buffer.concat([noise(length / 2, seed), Buffer.alloc(length / 2, seed)]);
}

function files(...seeds: number[]): Record<string, Uint8Array> {
  return Object.fromEntries(seeds.map((seed) => [`file-${seed}`, content(seed)]));
}

beforeAll(async () => {
  for (const version of [1, 2] as const) {
    for (const name of ['there', 'here']) {
      empty.set(`${name} ${version}`, await SmallRepository.create(name, version));
    }
  }
  source = await SmallRepository.create();
  const pack = { packSize: PACK };
  snapshots = [
    await source.backup({ a: files(1, 2, 3, 4), b: files(5, 6) }, '2026-01-01T00:00:00Z', pack),
    await source.backup({ a: files(1, 2, 9), c: files(11, 12, 13) }, '2026-01-02T00:00:00Z', pack),
    await source.backup({ c: files(11, 12, 13), d: files(14, 5) }, '2026-01-03T00:00:00Z', pack),
  ];
});

/** Findings are without the note that both cut files differently, which they do here. */
async function copy(from: Repository, to: Repository, options: Partial<CopyOptions> = {}) {
  const report = await copySnapshots(from, to, {
    clock: patientClock,
    random: Math.random,
    snapshots: await from.loadSnapshots(),
    packSize: PACK,
    threads: 1,
    signal: new AbortController().signal,
    ...options,
  });
  const noted = report.findings.filter(({ code }) => code === 'copy.chunker-differs');
  expect(noted).toHaveLength(report.copied.length + report.damaged.length > 0 ? 1 : 0);
  return { ...report, findings: report.findings.filter((finding) => !noted.includes(finding)) };
}

async function findingsIn(repository: Repository) {
  const options = { clock: patientClock, random: Math.random, readData: 'all', threads: 1 } as const;
  const { findings, unused } = await checkRepository(repository, options);
  return { unused: unused.blobs, errors: findings.filter(({ severity }) => severity !== 'note') };
}

const CLEAN = { unused: 0, errors: [] };

/** Equal trees have equal ids, and a check reads what they name. */
async function treesOf(repository: Repository): Promise<string[]> {
  return (await repository.loadSnapshots()).map(({ tree, time }) => `${time} ${tree}`);
}

function withoutLocks({ files }: SmallRepository): string[] {
  return [...files.keys()].filter((path) => !path.startsWith('locks/')).sort();
}

/** Counts what is read of packs. */
function metered(tally: { bytes: number }): (backend: Backend) => Backend {
  return (backend) => ({
    ...backend,
    load: async (handle, range, signal) => {
      const bytes = await backend.load(handle, range, signal);
      if (handle.type === 'pack') tally.bytes += bytes.length;
      return bytes;
    },
  });
}

describe('a copy', () => {
  const anyFiles = fc.dictionary(
    fc.stringMatching(/^[a-z]{1,3}$/),
    fc.record({ seed: fc.integer({ min: 1, max: 8 }), length: fc.constantFrom(0, 2, 3_000, 9_000) }),
    { maxKeys: 6 },
  );
  const anyFolders = fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), anyFiles, { maxKeys: 4 });

  test('of any repository is the same, sound, and in whichever format', { timeout: 120_000 }, async () => {
    const formats = fc.constantFrom<1 | 2>(1, 2);
    const generations = fc.array(anyFolders, { minLength: 1, maxLength: 3 });
    const cases = fc.asyncProperty(formats, formats, generations, async (from, to, trees) => {
      const original = target(from, 'here');
      for (const [day, tree] of trees.entries()) {
        await original.backup(planted(tree), `2026-02-0${day + 1}T00:00:00Z`, { packSize: PACK });
      }
      const there = target(to);
      const report = await copy(original.repository, there.repository);
      expect(report.copied).toHaveLength(trees.length);
      expect(await treesOf(there.repository)).toEqual(await treesOf(original.repository));
      expect(await findingsIn(there.repository)).toEqual(CLEAN);
      const before = withoutLocks(there);
      const again = await copy(original.repository, there.repository);
      expect(again).toMatchObject({ copied: [], blobs: 0 });
      expect(again.present).toHaveLength(trees.length);
      expect(withoutLocks(there)).toEqual(before);
    });
    await fc.assert(cases, { numRuns: 12 });
  });

  function planted(tree: Record<string, Record<string, { seed: number; length: number }>>): Files {
    return Object.fromEntries(
      Object.entries(tree).map(([name, folder]) => [
        name,
        Object.fromEntries(
          Object.entries(folder).map(([file, { seed, length }]) => [file, content(seed, length)]),
        ),
      ]),
    );
  }

  test('keeps compressed bytes as they are, and has none in format 1', async () => {
    const [same, older] = [target(2), target(1)];
    for (const { repository } of [same, older]) await copy(source.repository, repository);
    const lengths = async ({ repository }: SmallRepository) => {
      const { index } = await repository.loadIndex();
      const { table } = index;
      return Array.from({ length: table.size }, (_, entry) => [
        table.idOf(entry),
        table.lengthOf(entry),
        table.uncompressedLengthOf(entry),
      ]).sort();
    };
    expect(await lengths(same)).toEqual(await lengths(source));
    expect((await lengths(older)).every(([, , uncompressed]) => uncompressed === 0)).toBe(true);
  });

  test('of some snapshots brings what these need, and what the target has is not read again', async () => {
    const there = target();
    const [first] = snapshots as [StoredSnapshot];
    await copy(source.repository, there.repository, { snapshots: [first] });
    expect(await findingsIn(there.repository)).toEqual(CLEAN);
    const whole = { bytes: 0 };
    await copy(source.behind(metered(whole)), target().repository);
    const rest = { bytes: 0 };
    const report = await copy(source.behind(metered(rest)), there.repository);
    expect(report).toMatchObject({
      present: [{ from: first }],
      copied: snapshots.slice(1).map((from) => ({ from })),
    });
    expect(rest.bytes).toBeLessThan(whole.bytes * 0.8);
    expect(await findingsIn(there.repository)).toEqual(CLEAN);
  });

  test('of one more snapshot reads the folders that are not as they were', async () => {
    const from = source.clone();
    const there = target();
    await copy(from.repository, there.repository);
    const folder = (seed: number) => ({ stays: { deep: files(31, 32) }, changes: { deep: files(seed) } });
    await from.backup({ tree: folder(33), other: files(34) }, '2026-01-04T00:00:00Z');
    await copy(from.repository, there.repository);
    await from.backup({ tree: folder(35), other: files(34) }, '2026-01-05T00:00:00Z');
    let trees = 0;
    const report = await copy(from.repository, there.repository, {
      onProgress: ({ phase, done }) => {
        if (phase === 'plan') trees = done;
      },
    });
    // The root, tree, changes and what is deep in that.
    expect([report.copied.length, trees]).toEqual([1, 4]);
    expect(await findingsIn(there.repository)).toEqual(CLEAN);
    expect(await treesOf(there.repository)).toEqual(await treesOf(from.repository));
  });

  test('that is only tried says as much and writes nothing', async () => {
    const there = target();
    const before = new Map(there.files);
    const report = await copy(source.repository, there.repository, { dryRun: true });
    expect(report.copied).toEqual(snapshots.map((from) => ({ from })));
    expect(there.files).toEqual(before);
    const { blobs, bytes } = await copy(source.repository, there.repository);
    expect({ blobs, bytes }).toEqual({ blobs: report.blobs, bytes: report.bytes });
  });

  test('tells how far it is', async () => {
    const steps: string[] = [];
    const { bytes } = await copy(source.repository, target().repository, {
      verify: 'all',
      onProgress: ({ phase, done, total, snapshots, totalSnapshots }) => {
        const last = steps.at(-1);
        if (last?.startsWith(phase)) steps.pop();
        steps.push(`${phase} ${done}/${total} ${snapshots}/${totalSnapshots}`);
      },
    });
    expect(steps).toEqual([
      expect.stringMatching(/^plan \d+\/undefined 0\/3$/),
      `copy ${bytes}/${bytes} 3/3`,
      expect.stringMatching(/^verify (\d+)\/\1 3\/3$/),
    ]);
  });
});

describe('damage in the source', () => {
  /** Damages the blob of a file's content, or the whole pack that it lies in. */
  async function damaged(seed: number, how: 'a bit' | 'the pack'): Promise<SmallRepository> {
    const copy = source.clone();
    const { index } = await copy.repository.loadIndex();
    const place = index.lookup('data', sha256Id(content(seed)));
    if (place === undefined) throw new Error(`there is no content ${seed}`);
    const pack = { type: 'pack', name: place.pack } as const;
    if (how === 'a bit') await copy.damage(pack, flipBit(place.offset + 50));
    else await copy.repository.backend.remove(pack);
    return copy;
  }

  function expectFirstLeftOut(report: CopyReport): void {
    expect(report.damaged.map(({ id }) => id)).toEqual([snapshots[0]?.id]);
    expect(report.copied.map(({ from }) => from.id)).toEqual(snapshots.slice(1).map(({ id }) => id));
    expect(report.findings).toMatchObject([
      { code: 'copy.snapshot-damaged', affected: { paths: [expect.stringMatching(/:\/a\/file-3$/)] } },
    ]);
  }

  test('leaves out the snapshots that need it, and says which of their files', async () => {
    const there = target();
    const from = await damaged(3, 'a bit');
    expectFirstLeftOut(await copy(from.repository, there.repository));
    expect((await findingsIn(there.repository)).errors).toEqual([]);
    // The same when that is all there is to do.
    expect(await copy(from.repository, there.repository)).toMatchObject({ copied: [], damaged: [{}] });
  });

  test('does not matter where the target has the content already', async () => {
    const there = target();
    await there.backup({ elsewhere: files(3) }, '2026-03-01T00:00:00Z');
    const from = await damaged(3, 'a bit');
    expect(await copy(from.repository, there.repository)).toMatchObject({ damaged: [], findings: [] });
    expect(await findingsIn(there.repository)).toEqual(CLEAN);
  });

  test('does not matter where the source has it twice', async () => {
    const from = await damaged(3, 'the pack');
    const other = source.clone();
    const { index } = await other.repository.loadIndex();
    for (const name of index.files) await other.repository.backend.remove({ type: 'index', name });
    const whole = new Set(other.files.keys());
    // What was backed up while nothing was known of the rest is there once more.
    await other.backup({ a: files(1, 2, 3, 4), b: files(5, 6) }, '2026-01-04T00:00:00Z', { packSize: 2_000 });
    for (const [path, bytes] of other.files) if (!whole.has(path)) from.files.set(path, bytes);
    const there = target();
    expect(await copy(from.repository, there.repository)).toMatchObject({ damaged: [], findings: [] });
    expect(await findingsIn(there.repository)).toEqual(CLEAN);
  });

  test('of a folder leaves out the snapshots that have it, before anything is read for them', async () => {
    const from = source.clone();
    const { index } = await from.repository.loadIndex();
    const root = index.lookup('tree', snapshots[0]?.tree as never);
    await from.damage({ type: 'pack', name: root?.pack ?? '' }, flipBit((root?.offset ?? 0) + 20));
    const there = target();
    const report = await copy(from.repository, there.repository);
    expect(report.damaged.map(({ id }) => id)).toEqual([snapshots[0]?.id]);
    expect(await findingsIn(there.repository)).toEqual(CLEAN);
  });

  test('an index that cannot be read ends it: nobody knows what is there', async () => {
    const from = source.clone();
    const { index } = await from.repository.loadIndex();
    await from.damage({ type: 'index', name: [...index.files][0] ?? '' }, flipBit(30));
    await expect(copy(from.repository, target().repository)).rejects.toMatchObject({
      code: 'repository.damaged',
    });
  });
});

describe('a target', () => {
  test('that does not keep what it was given is found out by reading back', async () => {
    const there = target();
    const forgetful = there.behind((backend) => ({
      ...backend,
      save: (handle, data, signal) =>
        backend.save(handle, handle.type === 'pack' ? flipBit(40)(data) : data, signal),
    }));
    const { findings, verified } = await copy(source.repository, forgetful, { verify: { percent: 50 } });
    expect(verified.packs).toBeGreaterThan(0);
    expect(findings.map(({ code }) => code)).toContain('pack.blob-damaged');
  });

  test('that is read back as it was given is no finding', async () => {
    const { findings, verified } = await copy(source.repository, target().repository, { verify: 'all' });
    expect(findings).toEqual([]);
    expect(verified.packs).toBeGreaterThan(2);
  });

  test('that somebody holds exclusively is waited for or refused', async () => {
    const there = target();
    const other = { hostname: 'elsewhere', username: 'u', pid: 1, uid: 0, gid: 0 };
    // Not somebody who is done in a moment: that would be waited for.
    const time = new Date(Date.now() - 10 * 60_000).toISOString();
    const lock = { time, exclusive: true, ...other };
    await there.repository.saveFile('lock', Buffer.from(JSON.stringify(lock)));
    await expect(copy(source.repository, there.repository)).rejects.toMatchObject({
      code: 'repository.locked',
    });
  });

  test('that is full gets no snapshot', async () => {
    const there = target();
    let room = 2;
    const small = there.behind((backend) => ({
      ...backend,
      save: async (handle, data, signal) => {
        if (handle.type === 'pack' && room-- <= 0) throw new Failure('backend.full', 'no room');
        await backend.save(handle, data, signal);
      },
    }));
    await expect(copy(source.repository, small)).rejects.toMatchObject({ code: 'backend.full' });
    expect(await there.repository.loadSnapshots()).toEqual([]);
    // What got there is indexed, and not brought again.
    const planned = await copy(source.repository, target().repository, { dryRun: true });
    expect((await copy(source.repository, there.repository)).blobs).toBeLessThan(planned.blobs);
  });
});

test('killed after any number of writes, it leaves a sound target, and the next one completes', {
  timeout: 120_000,
}, async () => {
  let writes = 0;
  for (let killed = true; killed; writes += 1) {
    const there = target();
    killed = await copy(source.repository, there.behind(killedAfter(writes))).then(
      () => false,
      () => true,
    );
    await removeLocks(there.repository, { all: true, clock: patientClock });
    expect((await findingsIn(there.repository)).errors).toEqual([]);
    await copy(source.repository, there.repository);
    expect(await treesOf(there.repository)).toEqual(await treesOf(source.repository));
    expect((await findingsIn(there.repository)).errors).toEqual([]);
  }
  expect(writes).toBeGreaterThan(6);
});

test('a lost lock on the target ends it, and nothing is written from then on', async () => {
  const there = target();
  const controller = new AbortController();
  let written = 0;
  const watched = there.behind((backend) => ({
    ...backend,
    save: async (handle, data, signal) => {
      signal?.throwIfAborted();
      await backend.save(handle, data, signal);
      if (handle.type !== 'pack') return;
      written += 1;
      if (written === 1) controller.abort(new Failure('repository.lock-lost', 'somebody removed our lock'));
    },
  }));
  await expect(copy(source.repository, watched, { signal: controller.signal })).rejects.toMatchObject({
    code: 'repository.lock-lost',
  });
  expect(written).toBe(1);
  expect(withoutLocks(there).filter((path) => /^(index|snapshots)\//.test(path))).toEqual([]);
});
