import { beforeAll, describe, expect, test } from 'vitest';
import type { Backend, FileType } from '../../backend/backend.ts';
import { type Fault, fault } from '../../backend/wrap/fault.ts';
import { meter } from '../../backend/wrap/meter.ts';
import { encodeIndexFile } from '../../format/index-file.ts';
import type { StoredSnapshot } from '../../format/types.ts';
import { Failure } from '../../kernel/failure.ts';
import type { Id } from '../../kernel/id.ts';
import { noise } from '../../testing/backend-suite.ts';
import {
  cutOff,
  flipBit,
  killedAfter,
  patientClock,
  SmallRepository,
} from '../../testing/small-repository.ts';
import { checkRepository } from '../check/check.ts';
import type { CheckReport } from '../check/report.ts';
import { removeLocks } from '../lock-files.ts';
import { PackContents } from '../pack-contents.ts';
import type { Repository } from '../repository.ts';
import { repositorySource } from './blob-source.ts';
import { type RepairRun, repairRepository } from './repair.ts';

const PACK = 8_000;
let original: SmallRepository;
let stranger: SmallRepository;
let snapshots: StoredSnapshot[];

function files(...seeds: number[]): Record<string, Uint8Array> {
  return Object.fromEntries(seeds.map((seed) => [`file-${seed}`, noise(3_000, seed)]));
}

const FIRST = { a: files(1, 2, 3, 4), b: files(5, 6, 7, 8), c: { deep: files(9, 10) } };
const SECOND = { a: files(1, 2, 11), c: { deep: files(9, 10, 12), more: files(13) } };

beforeAll(async () => {
  original = await SmallRepository.create();
  snapshots = [
    await original.backup(FIRST, '2026-01-01T00:00:00Z', { packSize: PACK }),
    await original.backup(SECOND, '2026-01-02T00:00:00Z', { packSize: PACK }),
  ];
  // The same content under another key, in packs of another size.
  stranger = await SmallRepository.create('other');
  await stranger.backup(FIRST, '2026-01-01T00:00:00Z', { packSize: 20_000 });
  await stranger.backup(SECOND, '2026-01-02T00:00:00Z', { packSize: 20_000 });
});

async function check(repository: Repository): Promise<CheckReport> {
  const options = { clock: patientClock, random: Math.random, readData: 'all', threads: 1 } as const;
  return await checkRepository(repository, options);
}

/** Every byte is checked; nothing but garbage may be found. */
async function expectSound(repository: Repository): Promise<void> {
  const { findings } = await check(repository);
  expect(findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
}

async function names(repository: Repository, type: 'pack' | 'index' | 'snapshot'): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of repository.backend.list(type)) found.push(name);
  return found.sort();
}

async function repair(repository: Repository, run: Partial<RepairRun> = {}) {
  return await repairRepository(repository, { clock: patientClock, threads: 1, approve: () => true, ...run });
}

async function fromStranger(readData = true): Promise<Pick<RepairRun, 'blobs'>> {
  const indexed = await stranger.repository.loadIndex();
  return { blobs: { readData, sources: [() => repositorySource(indexed, 'the stranger')] } };
}

/** Which pack holds the most blobs of a type, and where those lie. */
async function packOf(small: SmallRepository, type: 'data' | 'tree') {
  const { index } = await small.repository.loadIndex();
  const contents = PackContents.of(index);
  const packs = index.packs.map((id, number) => ({ id, blobs: contents.blobsOf(number) }));
  const found = packs.filter(({ blobs }) => blobs.every((blob) => blob.type === type));
  return found.sort((a, b) => b.blobs.length - a.blobs.length)[0] as (typeof packs)[number];
}

/** Those that hold contents of files. */
async function dataPacks(repository: Repository): Promise<Id[]> {
  const { index } = await repository.loadIndex();
  const contents = PackContents.of(index);
  return index.packs.filter((_, number) => contents.blobsOf(number).every(({ type }) => type === 'data'));
}

describe('the index', () => {
  test('is made anew from the packs when all index files are lost', async () => {
    const copy = original.clone();
    for (const name of await names(copy.repository, 'index')) {
      await copy.repository.backend.remove({ type: 'index', name });
    }
    const { plan } = await repair(copy.repository);
    expect(plan.index.added).toHaveLength((await names(copy.repository, 'pack')).length);
    await expectSound(copy.repository);
    expect(await repair(copy.repository)).toMatchObject({ plan: { idle: true }, executed: false });
  });

  test('is made anew where a file of it is lost or cannot be read', async () => {
    for (const name of await names(original.repository, 'index')) {
      const lost = original.clone();
      await lost.repository.backend.remove({ type: 'index', name });
      await repair(lost.repository);
      await expectSound(lost.repository);
      for (const change of [flipBit(30), flipBit(-1), cutOff(20), () => new Uint8Array(0)]) {
        const damaged = original.clone();
        await damaged.damage({ type: 'index', name }, change);
        const { plan } = await repair(damaged.repository);
        expect(plan.index.unreadable).toEqual([name]);
        await expectSound(damaged.repository);
      }
    }
  });

  test('no longer names a pack that is gone, and goes on to name all others', async () => {
    for (const name of await names(original.repository, 'pack')) {
      const copy = original.clone();
      await copy.repository.backend.remove({ type: 'pack', name });
      const { plan } = await repair(copy.repository);
      expect(plan.index.gone.map(({ id }) => id)).toEqual([name]);
      const { index } = await copy.repository.loadIndex();
      expect([...index.packs].sort()).toEqual(await names(copy.repository, 'pack'));
    }
  });

  test('is corrected where it says something else than a pack', async () => {
    const copy = original.clone();
    const { index } = await copy.repository.loadIndex();
    const contents = PackContents.of(index);
    const packs = index.packs.map((id, number) => ({ id, blobs: contents.blobsOf(number) }));
    for (const name of index.files) await copy.repository.backend.remove({ type: 'index', name });
    const [wrong, ...right] = packs;
    if (wrong === undefined) throw new Error('no pack');
    await copy.repository.saveFile(
      'index',
      encodeIndexFile([{ id: wrong.id, blobs: wrong.blobs.slice(1) }, ...right]),
    );
    const { plan } = await repair(copy.repository);
    expect(plan.index.corrected.map(({ id }) => id)).toEqual([wrong.id]);
    await expectSound(copy.repository);
  });

  test('keeps what it alone knows of a pack whose header is damaged, and says so', async () => {
    const copy = original.clone();
    const { id, blobs } = await packOf(copy, 'data');
    await copy.damage({ type: 'pack', name: id }, flipBit(-10));
    const { plan } = await repair(copy.repository, { readAllHeaders: true });
    expect(plan.index.findings).toMatchObject([{ code: 'pack.header-damaged', severity: 'warning' }]);
    const { index } = await copy.repository.loadIndex();
    for (const blob of blobs) expect(index.has(blob.type, blob.id)).toBe(true);
  });

  test('keeps the marks of packs that wait for their deletion', async () => {
    const copy = original.clone();
    await copy.repository.backend.remove({ type: 'snapshot', name: snapshots[1]?.id ?? '' });
    const { index } = await copy.repository.loadIndex();
    const contents = PackContents.of(index);
    const packs = index.packs.map((id, number) => ({ id, blobs: contents.blobsOf(number) }));
    for (const name of index.files) await copy.repository.backend.remove({ type: 'index', name });
    const marked = packs.slice(2).map((pack) => ({ ...pack, time: '2026-01-03T00:00:00Z' }));
    await copy.repository.saveFile('index', encodeIndexFile(packs.slice(0, 2), marked));
    await copy.repository.backend.remove({ type: 'pack', name: packs[0]?.id ?? '' });
    await repair(copy.repository);
    const after = (await copy.repository.loadIndex()).index;
    expect(after.packs).toEqual([packs[1]?.id]);
    expect(
      after
        .marked()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(marked.map(({ id }) => id).sort());
    expect(new Set(after.marked().map(({ time }) => time))).toEqual(new Set(['2026-01-03T00:00:00Z']));
  });

  test('stays as it is when nothing is wrong, or nobody agreed', async () => {
    const sound = original.clone();
    const before = new Map(sound.files);
    expect(await repair(sound.repository)).toMatchObject({ plan: { idle: true } });
    expect(sound.files).toEqual(before);
    const [name = ''] = await names(sound.repository, 'index');
    await sound.repository.backend.remove({ type: 'index', name });
    const refused = new Map(sound.files);
    expect(await repair(sound.repository, { approve: () => false })).toMatchObject({ executed: false });
    expect(sound.files).toEqual(refused);
  });
});

describe('packs', () => {
  test('keep their intact blobs when some are damaged, and what is lost is named', async () => {
    const copy = original.clone();
    const { id, blobs } = await packOf(copy, 'data');
    await copy.damage({ type: 'pack', name: id }, flipBit((blobs[0]?.offset ?? 0) + 40));
    const { plan, saved } = await repair(copy.repository, { blobs: { readData: true, sources: [] } });
    expect(plan.blobs?.lost).toEqual([{ type: 'data', id: blobs[0]?.id }]);
    expect(plan.blobs?.affected.paths.length).toBeGreaterThan(0);
    expect(saved).toBe(blobs.length - 1);
    expect(await names(copy.repository, 'pack')).not.toContain(id);
    const { findings } = await check(copy.repository);
    expect(findings.map(({ code }) => code)).toEqual(['blob.missing']);
  });

  test('are written anew when only their header is damaged: nothing is lost', async () => {
    const copy = original.clone();
    const { id } = await packOf(copy, 'data');
    await copy.damage({ type: 'pack', name: id }, flipBit(-10));
    const { plan } = await repair(copy.repository, { blobs: { readData: true, sources: [] } });
    expect(plan.blobs).toMatchObject({ lost: [], damagedPacks: [{ id, damaged: 0 }] });
    await expectSound(copy.repository);
  });

  test('that are cut off give what is left of them', async () => {
    const copy = original.clone();
    const { id, blobs } = await packOf(copy, 'data');
    const cut = blobs[1]?.offset ?? 0;
    await copy.damage({ type: 'pack', name: id }, (bytes) => bytes.slice(0, cut + 10));
    const { plan, saved } = await repair(copy.repository, { blobs: { readData: false, sources: [] } });
    expect(saved).toBe(1);
    expect(plan.blobs?.lost).toHaveLength(blobs.length - 1);
  });
});

describe('another repository', () => {
  test('is asked for neighbours in a pack at once', async () => {
    const copy = original.clone();
    const lost = await dataPacks(copy.repository);
    for (const name of lost) await copy.repository.backend.remove({ type: 'pack', name });
    const metered: ReturnType<typeof meter>[] = [];
    const far = stranger.behind((backend) => {
      const counting = meter(backend);
      metered.push(counting);
      return counting;
    });
    const indexed = await far.loadIndex();
    const packs = indexed.index.packs.length;
    const { plan } = await repair(copy.repository, {
      blobs: { readData: false, sources: [() => repositorySource(indexed, 'the stranger')] },
    });
    await expectSound(copy.repository);
    expect(plan.blobs?.wanted).toBeGreaterThan(packs);
    expect(metered[0]?.reading().load.pack.calls).toBeLessThanOrEqual(packs);
  });

  test('gives back whatever it has, though its key and its packs are others', async () => {
    const packs = await names(original.repository, 'pack');
    for (const [at, name] of packs.entries()) {
      const copy = original.clone();
      await copy.repository.backend.remove({ type: 'pack', name });
      const other = packs[(at + 1) % packs.length] ?? '';
      await copy.damage({ type: 'pack', name: other }, flipBit(50));
      const { plan, refused } = await repair(copy.repository, await fromStranger());
      expect({ lost: plan.blobs?.lost, refused }).toEqual({ lost: [], refused: 0 });
      await expectSound(copy.repository);
    }
  });

  test('gives back trees that were lost with all that lay below them', async () => {
    const copy = original.clone();
    for (const name of await names(copy.repository, 'pack')) {
      await copy.repository.backend.remove({ type: 'pack', name });
    }
    for (const name of await names(copy.repository, 'index')) {
      await copy.repository.backend.remove({ type: 'index', name });
    }
    await repair(copy.repository, await fromStranger(false));
    await expectSound(copy.repository);
  });

  test('that is damaged itself gives what it has, and nothing wrong', async () => {
    const copy = original.clone();
    for (const name of await names(copy.repository, 'pack')) {
      await copy.repository.backend.remove({ type: 'pack', name });
    }
    const bad = stranger.clone();
    const { id, blobs } = await packOf(bad, 'data');
    await bad.damage({ type: 'pack', name: id }, flipBit((blobs[0]?.offset ?? 0) + 40));
    const indexed = await bad.repository.loadIndex();
    const sources = [() => repositorySource(indexed, 'the damaged one')];
    const { refused } = await repair(copy.repository, { blobs: { readData: false, sources } });
    expect(refused).toBe(1);
    const { findings } = await check(copy.repository);
    expect(findings.map(({ code }) => code)).toEqual(['blob.missing']);
    await repair(copy.repository, await fromStranger());
    await expectSound(copy.repository);
  });

  test('is not needed for blobs in packs that wait for their deletion', async () => {
    const copy = original.clone();
    const { index } = await copy.repository.loadIndex();
    const contents = PackContents.of(index);
    const packs = index.packs.map((id, number) => ({ id, blobs: contents.blobsOf(number) }));
    for (const name of index.files) await copy.repository.backend.remove({ type: 'index', name });
    await copy.repository.saveFile('index', encodeIndexFile(packs.slice(2), packs.slice(0, 2)));
    const { plan } = await repair(copy.repository, { blobs: { readData: false, sources: [] } });
    expect(plan.blobs?.found).toMatchObject([{ source: 'packs marked for deletion' }]);
    await expectSound(copy.repository);
  });
});

describe('a storage that fails at any call', () => {
  test('loses nothing that could be read, and the next repair completes', { timeout: 120_000 }, async () => {
    const broken = await brokenRepository();
    const readable = await readableBlobs(broken);
    const faults = await everyFault(broken);
    expect(faults.length).toBeGreaterThan(20);
    for (const each of faults) {
      const copy = broken.clone();
      // Whether it gets over it or gives up is another matter.
      await repair(
        copy.behind((backend) => fault(backend, [each])),
        await fromStranger(),
      ).catch(() => undefined);
      await removeLocks(copy.repository, { all: true, clock: patientClock });
      expect((await readableBlobs(copy)).isSupersetOf(readable), JSON.stringify(each)).toBe(true);
      await repair(copy.repository, await fromStranger());
      await expectSound(copy.repository);
    }
  });

  test('keeps a pack that it cannot read, and saves the pieces of it that it can', async () => {
    const copy = original.clone();
    const { id, blobs } = await packOf(copy, 'data');
    const [bad] = blobs;
    const badSector = (backend: Backend): Backend => ({
      ...backend,
      async load(handle, range, signal) {
        const from = range?.offset ?? 0;
        if (handle.name === id && from <= (bad?.offset ?? 0)) throw new Failure('backend.io', 'a bad sector');
        return await backend.load(handle, range, signal);
      },
    });
    const { plan, saved } = await repair(copy.behind(badSector), { blobs: { readData: true, sources: [] } });
    expect([saved, plan.blobs?.lost]).toEqual([blobs.length - 1, [{ type: 'data', id: bad?.id }]]);
    expect(await names(copy.repository, 'pack')).toContain(id);
    // On another machine it can be read again.
    await repair(copy.repository);
    await expectSound(copy.repository);
  });
});

describe('killed after any number of writes', () => {
  test('a repair leaves all that could be read, and the next one completes', {
    timeout: 60_000,
  }, async () => {
    const broken = await brokenRepository();
    const readable = await readableBlobs(broken);
    let writes = 0;
    for (let killed = true; killed; writes += 1) {
      const copy = broken.clone();
      killed = await repair(copy.behind(killedAfter(writes)), await fromStranger()).then(
        () => false,
        () => true,
      );
      await removeLocks(copy.repository, { all: true, clock: patientClock });
      expect((await readableBlobs(copy)).isSupersetOf(readable)).toBe(true);
      await repair(copy.repository, await fromStranger());
      await expectSound(copy.repository);
    }
    expect(writes).toBeGreaterThan(6);
  });
});

async function brokenRepository(): Promise<SmallRepository> {
  const broken = original.clone();
  const [index = ''] = await names(broken.repository, 'index');
  const packs = await names(broken.repository, 'pack');
  await broken.repository.backend.remove({ type: 'pack', name: packs[0] ?? '' });
  await broken.damage({ type: 'pack', name: packs[1] ?? '' }, flipBit(50));
  await broken.damage({ type: 'pack', name: packs[2] ?? '' }, flipBit(-10));
  await broken.damage({ type: 'index', name: index }, flipBit(30));
  return broken;
}

/** One fault for each call that a repair makes, and for each file that it writes or removes a lost answer. */
async function everyFault(broken: SmallRepository): Promise<Fault[]> {
  const faults: Fault[] = [];
  const counts = new Map<string, number>();
  const noted = <Result>(call: 'save' | 'load' | 'remove' | 'list', type: FileType, make: () => Result) => {
    const nth = (counts.get(`${call} ${type}`) ?? 0) + 1;
    counts.set(`${call} ${type}`, nth);
    if (type !== 'lock') faults.push({ call, type, nth, does: 'fail' });
    if (type !== 'lock' && (call === 'save' || call === 'remove')) {
      faults.push({ call, type, nth, does: 'succeed-then-fail' });
    }
    return make();
  };
  const watched = (backend: Backend): Backend => ({
    ...backend,
    save: (handle, ...rest) => noted('save', handle.type, () => backend.save(handle, ...rest)),
    load: (handle, ...rest) => noted('load', handle.type, () => backend.load(handle, ...rest)),
    remove: (handle, ...rest) => noted('remove', handle.type, () => backend.remove(handle, ...rest)),
    list: (type, ...rest) => noted('list', type, () => backend.list(type, ...rest)),
  });
  await repair(broken.clone().behind(watched), await fromStranger());
  return faults;
}

/** Whatever a person could still get at: with the index that a repair would make. */
async function readableBlobs(small: SmallRepository): Promise<Set<string>> {
  const copy = small.clone();
  await repair(copy.repository);
  const indexed = await copy.repository.loadIndex();
  const { table } = indexed.index;
  const readable = new Set<string>();
  for (let entry = 0; entry < table.size; entry += 1) {
    const [type, id] = [table.typeOf(entry), table.idOf(entry) as Id];
    const content = await indexed.loadBlob(type, id).catch(() => undefined);
    if (content !== undefined) readable.add(`${type}/${id}`);
  }
  return readable;
}
