import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { sha256Id } from '../../kernel/hash.ts';
import { noise } from '../../testing/backend-suite.ts';
import type { Backend, Handle } from '../backend.ts';
import { type Disk, systemDisk } from './disk.ts';
import { createLocal, openLocal } from './local.ts';

/** What was asked of the disk. */
interface Step {
  readonly call: string;
  readonly path: string;
  /** The new name, of a link or rename. */
  readonly name?: string;
}

const base = mkdtempSync(join(tmpdir(), 'holdfast-power-cut-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** The real disk, with every change written down once it is done. */
function recordingDisk(steps: Step[], broken: Partial<Disk> = {}): Disk {
  const disk: Disk = { ...systemDisk, ...broken };
  const recorded = (call: keyof Disk) => async (path: string, second: never) => {
    await (disk[call] as (path: string, second: never) => Promise<unknown>)(path, second);
    steps.push(typeof second === 'string' ? { call, path, name: second } : { call, path });
  };
  return {
    ...disk,
    link: recorded('link') as Disk['link'],
    rename: recorded('rename') as Disk['rename'],
    unlink: recorded('unlink') as Disk['unlink'],
    makeDirectory: recorded('makeDirectory') as Disk['makeDirectory'],
    syncDirectory: recorded('syncDirectory') as Disk['syncDirectory'],
    createFile: async (path, mode) => {
      const file = await disk.createFile(path, mode);
      const noted = async (call: string, run: Promise<void>): Promise<void> => {
        await run;
        steps.push({ call, path });
      };
      steps.push({ call: 'createFile', path });
      return {
        write: (data, signal) => noted('write', file.write(data, signal)),
        setMode: (mode) => noted('setMode', file.setMode(mode)),
        sync: () => noted('sync', file.sync()),
        close: () => file.close(),
      };
    },
  };
}

/** What a power cut at the worst moments could do to a save that took these steps and was then acknowledged. */
function losses(steps: readonly Step[], final: string): string[] {
  const found: string[] = [];
  const comesLater = (from: number, call: string, path: string) =>
    steps.slice(from + 1).some((step) => step.call === call && step.path === path);
  for (const [index, { call, path, name }] of steps.entries()) {
    if (call === 'makeDirectory' && !comesLater(index, 'syncDirectory', dirname(path)))
      found.push(`${path} is lost`);
    if ((call === 'link' || call === 'rename') && name === final) {
      const before = steps.slice(0, index).filter((step) => step.path === path);
      if (before.at(-1)?.call !== 'sync') found.push('the name outlives its content');
      if (!comesLater(index, 'syncDirectory', dirname(final))) found.push('the name is lost');
    }
  }
  return found;
}

function pack(data: Uint8Array): Handle {
  return { type: 'pack', name: sha256Id(data) };
}

describe('a local save and a power cut', () => {
  let path: string;
  let steps: Step[];
  const data = noise(100_000);
  const id = sha256Id(data);

  beforeEach(() => {
    path = join(mkdtempSync(join(base, 'r-')), 'repository');
    steps = [];
  });

  /** One line a step: paths below the repository, random parts left out. */
  const shown = (): string[] =>
    steps.map(({ call, path: from, name }) =>
      [call, from, name]
        .filter((part) => part !== undefined)
        .map((part) =>
          part
            .replace(`${path}/`, '')
            .replace(/-tmp-\w+/, '-tmp')
            .replace(id, 'ID'),
        )
        .join(' '),
    );

  async function createRecorded(broken?: Partial<Disk>): Promise<Backend> {
    return createLocal({ path, disk: recordingDisk(steps, broken) });
  }

  test('the content is on the disk before the name, and the name before the save is acknowledged', async () => {
    const backend = await createRecorded();
    steps.length = 0;
    await backend.save({ type: 'index', name: id }, data);
    expect(shown()).toEqual([
      'createFile index/ID-tmp',
      'write index/ID-tmp',
      'setMode index/ID-tmp',
      'sync index/ID-tmp',
      'link index/ID-tmp index/ID',
      'unlink index/ID-tmp',
      'syncDirectory index',
    ]);
  });

  test.each([
    ['with hard links', {}],
    ['without hard links', { link: refuse('EPERM') }],
  ] as const)(
    'every fsync of a save is needed, %s: with any one left out something is lost',
    async (_, broken) => {
      const backend = await createRecorded(broken);
      rmSync(join(path, 'data'), { recursive: true });
      steps.length = 0;
      const handle = pack(data);
      await backend.save(handle, data);
      const final = join(path, 'data', handle.name.slice(0, 2), handle.name);
      expect(losses(steps, final)).toEqual([]);
      const syncs = steps.flatMap(({ call }, index) => (call.startsWith('sync') ? [index] : []));
      expect(syncs.length).toBe(4);
      for (const sync of syncs) expect(losses(steps.toSpliced(sync, 1), final)).not.toEqual([]);
    },
  );

  test('a new repository’s directories are on the disk before it is handed out', async () => {
    await createRecorded();
    expect(losses(steps, '')).toEqual([]);
    expect(steps.filter(({ call }) => call === 'makeDirectory')).toHaveLength(1 + 5 + 256);
    expect(readdirSync(join(path, 'data'))).toHaveLength(256);
  });

  test('a save is rejected when its directory cannot be synced', async () => {
    const backend = await createRecorded();
    const disk: Disk = { ...systemDisk, syncDirectory: refuse('EIO') };
    const failing = await openLocal({ path, disk });
    await expect(failing.save(pack(data), data)).rejects.toMatchObject({ code: 'backend.io' });
    steps.length = 0;
    await expect(backend.save(pack(data), data)).rejects.toMatchObject({ code: 'backend.exists' });
    expect(steps.at(-1)).toEqual({ call: 'syncDirectory', path: join(path, 'data', id.slice(0, 2)) });
  });

  test('a removed snapshot cannot come back once packs are removed', async () => {
    const backend = await createRecorded();
    await backend.save({ type: 'snapshot', name: id }, data);
    await backend.save(pack(data), data);
    steps.length = 0;
    await backend.remove({ type: 'snapshot', name: id });
    await backend.remove(pack(data));
    await backend.close();
    const packs = join('data', id.slice(0, 2));
    expect(shown()).toEqual([
      'unlink snapshots/ID',
      'syncDirectory snapshots',
      `unlink ${packs}/ID`,
      `syncDirectory ${packs}`,
    ]);
  });
});

function refuse(errno: string) {
  return async (): Promise<never> => {
    throw Object.assign(new Error(`${errno}: refused for the test, call`), { code: errno, errno: -1 });
  };
}
