import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Backend, FileType } from '../../engine/src/backend/backend.ts';
import { type MemoryFiles, openMemory } from '../../engine/src/backend/memory/memory.ts';
import { type Fault, fault } from '../../engine/src/backend/wrap/fault.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { Failure, type FailureCode } from '../../engine/src/kernel/failure.ts';
import type { Id } from '../../engine/src/kernel/id.ts';
import type { IndexedRepository } from '../../engine/src/repository/indexed-repository.ts';
import { listLocks } from '../../engine/src/repository/lock-files.ts';
import { createRepository, openRepository } from '../../engine/src/repository/open.ts';
import { BackupScene, PASSWORD } from '../scenes/backup-scene.ts';
import { contentOf } from '../scenes/tree-arbitrary.ts';

/** No second look has to be waited for where nobody else is. */
const clock = {
  ...systemClock,
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms > 200 ? ms : 0, signal),
};

type Call = 'save' | 'load' | 'stat' | 'remove' | 'list';

interface Place {
  readonly call: Call;
  readonly type: FileType;
  /** 1 is the first call of this kind and type. */
  readonly nth: number;
}

/** Tells of each call before it is made. */
function watched(inner: Backend, onCall: (place: Place) => void): Backend {
  const counts = new Map<string, number>();
  const told = <Result>(call: Call, type: FileType, make: () => Result): Result => {
    const nth = (counts.get(`${call} ${type}`) ?? 0) + 1;
    counts.set(`${call} ${type}`, nth);
    onCall({ call, type, nth });
    return make();
  };
  return {
    ...inner,
    save: (handle, data, signal) => told('save', handle.type, () => inner.save(handle, data, signal)),
    load: (handle, range, signal) => told('load', handle.type, () => inner.load(handle, range, signal)),
    stat: (handle, signal) => told('stat', handle.type, () => inner.stat(handle, signal)),
    remove: (handle, signal) => told('remove', handle.type, () => inner.remove(handle, signal)),
    list: (type, signal) => told('list', type, () => inner.list(type, signal)),
  };
}

interface Prepared extends Disposable {
  readonly scene: BackupScene;
  readonly files: MemoryFiles;
  /** Backs up through `wrap`, without a scan cache: the parent's trees are read, so that there is more to fail. */
  backup(files: MemoryFiles, wrap: (backend: Backend) => Backend, signal?: AbortSignal): Promise<Id>;
}

/** A repository with one snapshot, and a tree that has changed since. */
async function prepare(): Promise<Prepared> {
  const scene = new BackupScene();
  const files: MemoryFiles = new Map();
  const kdf = { N: 2, r: 1, p: 1 };
  await createRepository(openMemory({ files }), PASSWORD, { clock, kdf });
  mkdirSync(join(scene.tree, 'folder'));
  writeFileSync(join(scene.tree, 'folder', 'file'), contentOf(2_000_000, 1));
  writeFileSync(join(scene.tree, 'other'), contentOf(2_000, 2));

  const backup: Prepared['backup'] = async (given, wrap, signal) => {
    // Opened before anything is broken: this is about the backup.
    const repository = await openRepository(openMemory({ files: given }), PASSWORD);
    Object.assign(repository, { backend: wrap(repository.backend) });
    const options = {
      clock,
      cacheDirectory: undefined as never,
      packSize: 256 * 1024,
      ...(signal && { signal }),
    };
    return (await scene.backup(repository, options)).snapshot!.id;
  };
  await backup(files, (backend) => backend);
  writeFileSync(join(scene.tree, 'folder', 'new'), contentOf(1_200_000, 3));
  writeFileSync(join(scene.tree, 'other'), contentOf(3_000, 4));
  return { scene, files, backup, [Symbol.dispose]: () => scene[Symbol.dispose]() };
}

/** Every place at which that backup calls the backend. */
async function placesOf({ files, backup }: Prepared): Promise<Place[]> {
  const places: Place[] = [];
  await backup(new Map(files), (backend) => watched(backend, (place) => places.push(place)));
  return places;
}

/** Reads all of every snapshot; throws when anything is missing or damaged. Returns the snapshots’ ids. */
async function readAll(files: MemoryFiles): Promise<Id[]> {
  const repository = await openRepository(openMemory({ files }), PASSWORD);
  const indexed = await repository.loadIndex();
  const snapshots = await repository.loadSnapshots();
  for (const snapshot of snapshots) await readTree(indexed, snapshot.tree);
  return snapshots.map(({ id }) => id);
}

async function readTree(indexed: IndexedRepository, id: Id): Promise<void> {
  for (const node of (await indexed.loadTree(id)).nodes) {
    for (const content of node.content ?? []) await indexed.loadBlob('data', content);
    if (node.subtree !== undefined) await readTree(indexed, node.subtree);
  }
}

async function locksIn(files: MemoryFiles): Promise<number> {
  return (await listLocks(await openRepository(openMemory({ files }), PASSWORD))).length;
}

function unindexedPacks(files: MemoryFiles, indexed: IndexedRepository): string[] {
  const packs = Array.from(files.keys()).filter((path) => path.startsWith('data/'));
  const known = new Set<string>(indexed.index.packs);
  return packs.map((path) => path.slice(path.lastIndexOf('/') + 1)).filter((name) => !known.has(name));
}

const WAYS = ['fail', 'succeed-then-fail', 'hang', 'abort'] as const;

describe('wherever a backup’s storage breaks, nothing that was acknowledged is missing', () => {
  test.each(WAYS)('each call in turn: %s', { timeout: 240_000 }, async (way) => {
    using prepared = await prepare();
    const places = await placesOf(prepared);
    expect(places.length).toBeGreaterThan(12);
    for (const place of places) {
      const { call, type, nth } = place;
      const said = `${call} ${type} ${nth}: ${way}`;
      if (way === 'succeed-then-fail' && call !== 'save' && call !== 'remove') continue;
      const files: MemoryFiles = new Map(prepared.files);
      const interrupted = new Failure('interrupted', 'enough');
      const controller = new AbortController();
      const faults = way === 'abort' ? [] : [{ call, type, nth, does: way } as Fault];
      let struckAt = 0;
      const wrap = (backend: Backend) =>
        watched(fault(backend, faults), (here) => {
          if (here.call !== call || here.type !== type || here.nth !== nth) return;
          struckAt = performance.now();
          if (way === 'hang' || way === 'abort') controller.abort(interrupted);
        });
      const outcome = await prepared.backup(files, wrap, controller.signal).then(
        (id) => ({ id }),
        (error: unknown) => ({ error }),
      );
      if (way === 'hang' || way === 'abort') {
        expect(performance.now() - struckAt, said).toBeLessThan(5_000);
        if ('error' in outcome) expect(outcome.error, said).toBe(interrupted);
      }
      const snapshots = await readAll(files);
      if ('id' in outcome) expect(snapshots, said).toContain(outcome.id);
      else expect(outcome.error, said).toBeInstanceOf(Failure);
      const mayStay = type === 'lock' && (call === 'save' || call === 'remove');
      expect(await locksIn(files), said).toBeLessThanOrEqual(mayStay ? 1 : 0);
      // And the next one works, whatever was left.
      const next = await prepared.backup(files, (backend) => backend);
      expect(await readAll(files), said).toContain(next);
    }
  });

  test('what an interrupted backup had saved is indexed, and is not saved again', async () => {
    using prepared = await prepare();
    writeFileSync(join(prepared.scene.tree, 'large'), contentOf(9_000_000, 5));
    const files: MemoryFiles = new Map(prepared.files);
    const controller = new AbortController();
    const reason = new Failure('interrupted', 'enough');
    const watch = (backend: Backend) =>
      watched(backend, ({ call, type, nth }) => {
        if (call === 'save' && type === 'pack' && nth === 4) controller.abort(reason);
      });
    await expect(prepared.backup(files, watch, controller.signal)).rejects.toBe(reason);
    const repository = await openRepository(openMemory({ files }), PASSWORD);
    expect(unindexedPacks(files, await repository.loadIndex())).toEqual([]);
    expect(files.size).toBeGreaterThan(prepared.files.size + 1);

    const whole: MemoryFiles = new Map(prepared.files);
    await prepared.backup(whole, (backend) => backend);
    const added = bytesOf(files) - bytesOf(prepared.files);
    await prepared.backup(files, (backend) => backend);
    // All that the interrupted one had saved counts; only headers, indexes and half full packs come on top.
    expect(bytesOf(files)).toBeLessThan(bytesOf(whole) + 20_000);
    expect(added).toBeGreaterThan(200_000);
  });

  test.each<FailureCode>(['backend.full', 'backend.denied'])('%s is told as what it is', async (code) => {
    using prepared = await prepare();
    const files: MemoryFiles = new Map(prepared.files);
    const full: Fault = { call: 'save', type: 'pack', nth: 2, times: 1e9, does: 'fail', code };
    await expect(prepared.backup(files, (backend) => fault(backend, [full]))).rejects.toMatchObject({ code });
    expect(await readAll(files)).toHaveLength(1);
    expect(await locksIn(files)).toBe(0);
  });

  test('a parent whose trees are damaged or gone costs time, and nothing else', async () => {
    using prepared = await prepare();
    for (const does of ['cut', 'fail'] as const) {
      const files: MemoryFiles = new Map(prepared.files);
      const broken: Fault =
        does === 'cut'
          ? { call: 'load', type: 'pack', times: 1e9, does }
          : { call: 'load', type: 'pack', times: 1e9, does, code: 'backend.not-found' };
      const id = await prepared.backup(files, (backend) => fault(backend, [broken]));
      expect(await readAll(files)).toContain(id);
    }
  });
});

function bytesOf(files: MemoryFiles): number {
  let sum = 0;
  for (const file of files.values()) sum += file.length;
  return sum;
}
