import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { Spool } from './spool.ts';
import { type SpoolDisk, systemSpoolDisk } from './spool-disk.ts';

/** What was asked of the disk, or told to the source. */
interface Step {
  readonly call: string;
  readonly path: string;
  /** The new name, of a rename. */
  readonly name?: string;
}

const base = mkdtempSync(join(tmpdir(), 'holdfast-spool-power-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** The real disk, with every change written down once it is done. */
function recordingDisk(steps: Step[]): SpoolDisk {
  const noted = async (step: Step, run: Promise<unknown>): Promise<void> => {
    await run;
    steps.push(step);
  };
  return {
    ...systemSpoolDisk,
    rename: (path, name) => noted({ call: 'rename', path, name }, systemSpoolDisk.rename(path, name)),
    makeDirectory: (path) => noted({ call: 'makeDirectory', path }, systemSpoolDisk.makeDirectory(path)),
    syncDirectory: (path) => noted({ call: 'syncDirectory', path }, systemSpoolDisk.syncDirectory(path)),
    openFile: async (path) => {
      const isNew = !(await systemSpoolDisk.list(dirname(path))).includes(basename(path));
      const file = await systemSpoolDisk.openFile(path);
      // The lock is of no meaning once its process is gone.
      if (basename(path) === 'spool.lock') return file;
      if (isNew) steps.push({ call: 'create', path });
      return {
        ...file,
        setLength: (bytes) => noted({ call: 'setLength', path }, file.setLength(bytes)),
        write: (pieces, position) => noted({ call: 'write', path }, file.write(pieces, position)),
        syncData: () => noted({ call: 'syncData', path }, file.syncData()),
      };
    },
  };
}

/**
 * What a power cut right after an acknowledgement could take, at worst: all content since the last sync of its file,
 * every name since the last sync of its directory.
 */
function losses(steps: readonly Step[]): string[] {
  const found = new Set<string>();
  const unsyncedContent = new Set<string>();
  const unsyncedNames = new Map<string, string>();
  for (const { call, path, name } of steps) {
    if (call === 'write') unsyncedContent.add(path);
    if (call === 'syncData') unsyncedContent.delete(path);
    if (call === 'create' || call === 'makeDirectory') unsyncedNames.set(path, dirname(path));
    if (call === 'rename' && name !== undefined) {
      if (unsyncedContent.delete(path)) found.add(`${basename(name)} may have its name without its content`);
      unsyncedNames.delete(path);
      unsyncedNames.set(name, dirname(name));
    }
    if (call === 'syncDirectory') {
      for (const [entry, parent] of unsyncedNames) if (parent === path) unsyncedNames.delete(entry);
    }
    if (call === 'acknowledge') {
      for (const entry of unsyncedContent) found.add(`content of ${basename(entry)} is lost`);
      for (const entry of unsyncedNames.keys()) found.add(`${basename(entry)} is lost`);
    }
  }
  return [...found];
}

describe('a spool and a power cut', () => {
  let directory: string;
  let steps: Step[];

  beforeEach(() => {
    directory = join(mkdtempSync(join(base, 's-')), 'a', 'spool');
    steps = [];
  });

  const acknowledge = () => steps.push({ call: 'acknowledge', path: directory });
  const shown = () =>
    steps.map(({ call, path, name }) =>
      [call, basename(path), ...(name === undefined ? [] : [basename(name)])].join(' '),
    );

  /** Fills one segment in two parts, as a receiver does. */
  async function fillOne(): Promise<void> {
    await using spool = await Spool.open({
      directory,
      owner: { source: 'postgres', identity: '1' },
      disk: recordingDisk(steps),
    });
    await using segment = await spool.begin('0001', 200);
    await segment.write([Buffer.alloc(100, 1)]);
    await segment.sync();
    acknowledge();
    await segment.write([Buffer.alloc(100, 2)]);
    await segment.complete();
    acknowledge();
  }

  test('content is durable before its name, and its name before the acknowledgement', async () => {
    await fillOne();
    const begun = shown().indexOf('create 0001.partial');
    expect(shown().slice(begun)).toEqual([
      'create 0001.partial',
      'setLength 0001.partial',
      'syncDirectory spool',
      'write 0001.partial',
      'syncData 0001.partial',
      'acknowledge spool',
      'write 0001.partial',
      'syncData 0001.partial',
      'rename 0001.partial 0001',
      'syncDirectory spool',
      'acknowledge spool',
    ]);
  });

  test('nothing acknowledged is lost, and every sync is needed for that', async () => {
    await fillOne();
    expect(losses(steps)).toEqual([]);
    const begun = steps.findIndex(({ path }) => path.endsWith('0001.partial'));
    const syncs = steps.flatMap(({ call }, index) =>
      call.startsWith('sync') && index > begun ? [index] : [],
    );
    expect(syncs.length).toBe(4);
    for (const sync of syncs) expect(losses(steps.toSpliced(sync, 1))).not.toEqual([]);
  });

  test('a new spool’s directories and its owner are on the disk before anything is acknowledged', async () => {
    await fillOne();
    const made = shown().filter((step) => step.startsWith('makeDirectory'));
    expect(made).toEqual(['makeDirectory a', 'makeDirectory spool']);
    const parents = steps.flatMap((step, index) =>
      step.call === 'syncDirectory' && step.path !== directory ? [index] : [],
    );
    for (const parent of parents) expect(losses(steps.toSpliced(parent, 1))).not.toEqual([]);
  });

  test('a partial segment that kill -9 left behind is made durable when the spool is opened again', async () => {
    const owner = { source: 'postgres', identity: '1' };
    {
      await using spool = await Spool.open({ directory, owner });
      await using segment = await spool.begin('0001', 200);
      await segment.write([Buffer.alloc(100, 1)]);
    }
    await using _again = await Spool.open({ directory, owner, disk: recordingDisk(steps) });
    expect(shown()).toContain('syncData 0001.partial');
  });
});
