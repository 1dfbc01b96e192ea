import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { type Backend, CONFIG, type FileType, type Handle, type ListedFile } from '../backend/backend.ts';
import { PROMISES } from '../backend/promises/promises.ts';
import { beginTrial } from '../backend/promises/trial.ts';
import { sha256Id } from '../kernel/hash.ts';

export interface OpenedForTest {
  /** Empty. */
  readonly backend: Backend;
  /** Opens the same place once more, as another process would. */
  readonly reopen: () => Promise<Backend>;
  /** Puts files beside the repository's own that no list may show: temporary ones, strangers, misplaced ones. */
  readonly addStrangers: () => Promise<void>;
}

const NAMED: readonly FileType[] = ['key', 'lock', 'snapshot', 'index', 'pack'];
const ALL: readonly FileType[] = ['config', ...NAMED];

/**
 * The promises of `Backend` as tests. A new backend, or a wrapper around one, calls this in its own test file:
 *
 *     describeBackend('memory', async () => ({ backend: openMemory() }));
 */
export function describeBackend(name: string, open: () => Promise<OpenedForTest>): void {
  describe(`${name} keeps the promises of a backend`, () => {
    const opened: Backend[] = [];

    async function fresh(): Promise<OpenedForTest> {
      const result = await open();
      opened.push(result.backend);
      return result;
    }

    afterEach(async () => {
      for (const backend of opened.splice(0)) await backend.close();
    });

    test.each(PROMISES)('$sentence', async ({ attempt }) => {
      const { backend } = await fresh();
      const trial = beginTrial(backend);
      await attempt(trial);
      expect(await trial.clear(AbortSignal.timeout(10_000))).toEqual([]);
      expect(await listed(backend, 'pack')).toEqual([]);
    });

    test.each(ALL)('a saved %s comes back byte for byte', async (type) => {
      const { backend } = await fresh();
      const data = noise(1000, type.length);
      const handle = type === 'config' ? CONFIG : { type, name: sha256Id(data) };
      await backend.save(handle, data);
      expect(await backend.load(handle)).toEqual(data);
      expect(await backend.stat(handle)).toEqual({ size: 1000 });
      expect(await listed(backend, type)).toEqual([{ name: handle.name, size: 1000 }]);
    });

    test('files of one name and different types are different files', async () => {
      const { backend } = await fresh();
      const { name } = pack(noise(9));
      const there: readonly FileType[] = ['key', 'lock', 'pack'];
      for (const type of there) await backend.save({ type, name }, noise(9));
      for (const type of NAMED)
        expect(await listed(backend, type)).toEqual(there.includes(type) ? [{ name, size: 9 }] : []);
      await expect(backend.load({ type: 'index', name })).rejects.toMatchObject({
        code: 'backend.not-found',
      });
      await backend.remove({ type: 'lock', name });
      expect(await listed(backend, 'lock')).toEqual([]);
      expect(await backend.load({ type: 'key', name })).toEqual(noise(9));
    });

    test('an empty file is a file', async () => {
      const { backend } = await fresh();
      const handle = pack(noise(0));
      await backend.save(handle, noise(0));
      expect((await backend.load(handle)).length).toBe(0);
      expect(await listed(backend, 'pack')).toEqual([{ name: handle.name, size: 0 }]);
      await expect(backend.load(handle, { offset: 0, length: 1 })).rejects.toMatchObject({
        code: 'backend.short-read',
      });
    });

    test('a file of 20 MiB comes back whole and in parts', async () => {
      const { backend } = await fresh();
      const data = noise(20 * 1024 * 1024);
      const handle = pack(data);
      await backend.save(handle, data);
      expect(sha256Id(await backend.load(handle))).toBe(handle.name);
      const middle = await backend.load(handle, { offset: 8_388_607, length: 9_000_001 });
      expect(Buffer.compare(middle, data.subarray(8_388_607, 8_388_607 + 9_000_001))).toBe(0);
    });

    test('any range within a file comes back exactly', async () => {
      const { backend } = await fresh();
      const data = noise(5000);
      const handle = pack(data);
      await backend.save(handle, data);
      const range = fc
        .tuple(fc.nat(4999), fc.nat(4999))
        .map(([a, b]) => ({ offset: Math.min(a, b), length: Math.abs(a - b) + 1 }));
      await fc.assert(
        fc.asyncProperty(range, async ({ offset, length }) => {
          expect(await backend.load(handle, { offset, length })).toEqual(
            data.subarray(offset, offset + length),
          );
        }),
        { numRuns: 30 },
      );
    });

    test.each([
      { offset: -1, length: 5 },
      { offset: 0, length: 0 },
      { offset: 0.5, length: 1 },
    ])('a range that makes no sense is refused: %o', async (range) => {
      const { backend } = await fresh();
      const handle = pack(noise(100));
      await backend.save(handle, noise(100));
      await expect(backend.load(handle, range)).rejects.toMatchObject({ code: 'internal' });
    });

    test('what was loaded belongs to the caller, and what was saved does not change with the caller’s buffer', async () => {
      const { backend } = await fresh();
      const data = Buffer.from(noise(64));
      const handle = pack(data);
      await backend.save(handle, data);
      data.fill(0);
      const first = await backend.load(handle);
      expect(sha256Id(first)).toBe(handle.name);
      first.fill(0);
      expect(sha256Id(await backend.load(handle))).toBe(handle.name);
    });

    test('a file that is not there is not found, whatever is asked of it', async () => {
      const { backend } = await fresh();
      for (const handle of [
        CONFIG,
        pack(noise(3)),
        { type: 'snapshot', name: sha256Id(noise(4)) } as const,
      ]) {
        const missing = { code: 'backend.not-found' };
        await expect(backend.load(handle)).rejects.toMatchObject(missing);
        await expect(backend.load(handle, { offset: 0, length: 1 })).rejects.toMatchObject(missing);
        await expect(backend.stat(handle)).rejects.toMatchObject(missing);
        await expect(backend.remove(handle)).rejects.toMatchObject(missing);
      }
    });

    test.each(ALL)('an empty repository lists no %s', async (type) => {
      const { backend } = await fresh();
      expect(await listed(backend, type)).toEqual([]);
    });

    test('a config that is there is not overwritten', async () => {
      const { backend } = await fresh();
      await backend.save(CONFIG, noise(10));
      await expect(backend.save(CONFIG, noise(20, 7))).rejects.toMatchObject({ code: 'backend.exists' });
      expect(await backend.load(CONFIG)).toEqual(noise(10));
    });

    test('of many configs at once, exactly one wins, and its bytes are whole', async () => {
      const { backend } = await fresh();
      const contents = Array.from({ length: 8 }, (_, index) => noise(50_000, index));
      const outcomes = await Promise.allSettled(contents.map((data) => backend.save(CONFIG, data)));
      const winners = contents.filter((_, index) => outcomes[index]?.status === 'fulfilled');
      expect(winners).toHaveLength(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'backend.exists' });
      }
      expect(await backend.load(CONFIG)).toEqual(winners[0]);
    });

    test('list names every saved file once, spread over all directories', async () => {
      const { backend } = await fresh();
      const files = Array.from({ length: 60 }, (_, index) => noise(index + 1, index));
      await Promise.all(files.map((data) => backend.save(pack(data), data)));
      const expected = files
        .map((data) => ({ name: pack(data).name as string, size: data.length }))
        .sort(byName);
      expect((await listed(backend, 'pack')).sort(byName)).toEqual(expected);
    });

    test('a list shows what was saved before it, while other files come and go', async () => {
      const { backend } = await fresh();
      const before = Array.from({ length: 20 }, (_, index) => noise(10, index));
      for (const data of before) await backend.save(pack(data), data);
      const seen: string[] = [];
      let round = 100;
      for await (const file of backend.list('pack')) {
        seen.push(file.name);
        const other = noise(10, round++);
        await backend.save(pack(other), other);
        await backend.remove(pack(other));
      }
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen).toEqual(expect.arrayContaining(before.map((data) => pack(data).name)));
    });

    test('a list may be left early', async () => {
      const { backend } = await fresh();
      for (let index = 0; index < 5; index++) await backend.save(pack(noise(10, index)), noise(10, index));
      for await (const file of backend.list('pack')) {
        expect(file.size).toBe(10);
        break;
      }
      expect(await listed(backend, 'pack')).toHaveLength(5);
    });

    test('strangers and unfinished files are not listed', async () => {
      const { backend, addStrangers } = await fresh();
      const data = noise(100);
      for (const type of NAMED) await backend.save({ type, name: sha256Id(data) }, data);
      await addStrangers();
      for (const type of NAMED)
        expect(await listed(backend, type)).toEqual([{ name: sha256Id(data), size: 100 }]);
      expect(await listed(backend, 'config')).toEqual([]);
    });

    test.each([
      '',
      '.',
      '..',
      '../config',
      '../../../../../../tmp/out',
      `../${'a'.repeat(61)}`,
      'A'.repeat(64),
      `${'a'.repeat(64)}\n`,
      `${'a'.repeat(63)}/`,
      `${'a'.repeat(62)}\0a`,
      'a'.repeat(65),
    ])('a name that is no id is refused before anything is touched: %j', async (name) => {
      const { backend } = await fresh();
      for (const type of NAMED) {
        const handle: Handle = { type, name };
        await expect(backend.save(handle, noise(1))).rejects.toMatchObject({ code: 'internal' });
        await expect(backend.load(handle)).rejects.toMatchObject({ code: 'internal' });
        await expect(backend.stat(handle)).rejects.toMatchObject({ code: 'internal' });
        await expect(backend.remove(handle)).rejects.toMatchObject({ code: 'internal' });
      }
    });

    test('the config is one file, however its handle is named', async () => {
      const { backend } = await fresh();
      await backend.save({ type: 'config', name: '../elsewhere' }, noise(9));
      expect(await backend.load(CONFIG)).toEqual(noise(9));
    });

    test('a call whose signal is aborted already does nothing and rejects with the signal’s reason', async () => {
      const { backend } = await fresh();
      const handle = pack(noise(10));
      await backend.save(handle, noise(10));
      const reason = new Error('enough');
      const signal = AbortSignal.abort(reason);
      await expect(backend.save(pack(noise(11)), noise(11), signal)).rejects.toBe(reason);
      await expect(backend.load(handle, undefined, signal)).rejects.toBe(reason);
      await expect(backend.stat(handle, signal)).rejects.toBe(reason);
      await expect(listed(backend, 'pack', signal)).rejects.toBe(reason);
      await expect(backend.remove(handle, signal)).rejects.toBe(reason);
      expect(await listed(backend, 'pack')).toEqual([{ name: handle.name, size: 10 }]);
    });

    test('a list stops when its signal aborts on the way', async () => {
      const { backend } = await fresh();
      for (let index = 0; index < 40; index++) await backend.save(pack(noise(10, index)), noise(10, index));
      const abort = new AbortController();
      const reason = new Error('enough');
      const iterate = async (): Promise<void> => {
        for await (const _ of backend.list('pack', abort.signal)) abort.abort(reason);
      };
      await expect(iterate()).rejects.toBe(reason);
    });

    test('a save whose signal aborts on the way has saved the whole file or nothing', async () => {
      const { backend } = await fresh();
      const data = noise(6 * 1024 * 1024);
      const handle = pack(data);
      const abort = new AbortController();
      const reason = new Error('enough');
      const saving = backend.save(handle, data, abort.signal);
      abort.abort(reason);
      const outcome = await saving.then(
        () => 'saved',
        (error: unknown) => error,
      );
      const files = await listed(backend, 'pack');
      expect(['saved', reason]).toContain(outcome);
      expect(files).toEqual(outcome === 'saved' ? [{ name: handle.name, size: data.length }] : []);
    });

    test('whoever opens the same place sees the same files', async () => {
      const { backend, reopen } = await fresh();
      const data = noise(2000);
      await backend.save(CONFIG, data);
      await backend.save(pack(data), data);
      await backend.close();
      const again = await reopen();
      opened.push(again);
      expect(await again.load(CONFIG)).toEqual(data);
      expect(await again.load(pack(data))).toEqual(data);
      await expect(again.save(pack(data), data)).rejects.toMatchObject({ code: 'backend.exists' });
    });

    test('it says where it is and how many calls at once make sense', async () => {
      const { backend } = await fresh();
      expect(backend.location).not.toBe('');
      expect(backend.connections).toBeGreaterThanOrEqual(1);
    });
  });
}

/** Bytes that look random and are the same in every run. */
export function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = (seed + 1) * 0x9e3779b1;
  for (let index = 0; index < length; index++) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

function pack(data: Uint8Array): Handle & { type: 'pack' } {
  return { type: 'pack', name: sha256Id(data) };
}

async function listed(backend: Backend, type: FileType, signal?: AbortSignal): Promise<ListedFile[]> {
  const files: ListedFile[] = [];
  for await (const file of backend.list(type, signal)) files.push(file);
  return files;
}

function byName(a: ListedFile, b: ListedFile): number {
  return a.name < b.name ? -1 : 1;
}
