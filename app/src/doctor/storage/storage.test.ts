import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Backend, CONFIG, createLocal, Failure, systemClock } from '@holdfast/engine';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { storageDiagnosis } from './diagnosis.ts';
import { examineStorage } from './examination.ts';

let base: string;
let honest: Backend;
const signal = new AbortController().signal;

beforeEach(async () => {
  base = mkdtempSync(path.join(tmpdir(), 'holdfast-doctor-'));
  honest = await createLocal({ path: base });
  await honest.save(CONFIG, Buffer.from('not to be touched'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function files(): string[] {
  return readdirSync(base, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

async function diagnosed(backend: Backend) {
  return storageDiagnosis(await examineStorage(backend, { clock: systemClock, signal }));
}

test('a good storage is said to be one, and is afterwards as it was', async () => {
  const { healthy, advice } = await diagnosed(honest);
  expect(healthy).toContain('A name that is taken is not overwritten');
  expect(healthy.at(-1)).toMatch(/8\.0 MB goes there at .*B\/s and comes back at /);
  expect(advice.map(({ code }) => code)).toEqual(['storage.removable', 'storage.durability-unknown']);
  expect(files()).toEqual(['config']);
});

test.each<[string, (inner: Backend) => Partial<Backend>, RegExp]>([
  [
    'answers with less than it was asked for',
    (inner) => ({
      load: async (handle, range, signal) => {
        const whole = await inner.load(handle, undefined, signal);
        return range === undefined ? whole : whole.slice(range.offset, range.offset + range.length);
      },
    }),
    /A part that leaves the file is refused, never cut short: no\. to read 2 bytes from 99 of 100 was not refused/,
  ],
  [
    'overwrites',
    (inner) => ({
      save: async (handle, data, signal) => {
        await inner.remove(handle, signal).catch(() => {});
        await inner.save(handle, data, signal);
      },
    }),
    /A name that is taken is not overwritten: no/,
  ],
  [
    'forgets in its lists what is new',
    () => ({ list: async function* () {} }),
    /A list names what was saved before it.*listed 0 times/,
  ],
  [
    'says that it removed what it keeps',
    () => ({ remove: async () => {} }),
    /What was removed is gone, and its name is free again: no/,
  ],
])('a storage that %s is found out', async (_, lie, message) => {
  const { advice } = await diagnosed({ ...honest, ...lie(honest) });
  const broken = advice.filter(({ severity }) => severity === 'error');
  expect(broken.map((found) => found.message).join('\n')).toMatch(message);
});

test('where nothing can be removed little stays, and it is named', async () => {
  const remove = async () => {
    throw new Failure('backend.denied', 'append-only');
  };
  const { advice, healthy } = await diagnosed({ ...honest, remove });
  expect(advice.map(({ code }) => code)).toEqual(['storage.append-only', 'storage.durability-unknown']);
  const stayed = files().filter((name) => name !== 'config');
  expect(advice[0]!.message).toContain(`${stayed.length} small files`);
  for (const name of stayed) expect(advice[0]!.message).toContain(name.slice(0, 8));
  expect(healthy.join('\n')).not.toContain('goes there at');
});

test('whatever breaks it off, what it had saved is taken away', async () => {
  let saves = 0;
  const save: Backend['save'] = async (...call) => {
    saves += 1;
    if (saves > 3) throw new Error('the machine is on fire');
    await honest.save(...call);
  };
  await expect(diagnosed({ ...honest, save })).rejects.toThrow('on fire');
  expect(files()).toEqual(['config']);
});
