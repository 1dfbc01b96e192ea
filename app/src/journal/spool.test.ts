import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { Spool } from './spool.ts';
import { type SpoolDisk, systemSpoolDisk } from './spool-disk.ts';

const base = mkdtempSync(join(tmpdir(), 'holdfast-spool-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const OWNER = { source: 'postgres', identity: '7234' };
const LENGTH = 4096;
let directory: string;

beforeEach(() => {
  directory = join(mkdtempSync(join(base, 's-')), 'deeper', 'spool');
});

const open = (disk?: SpoolDisk) =>
  Spool.open({ directory, owner: OWNER, ...(disk === undefined ? {} : { disk }) });
const letters = (letter: string, count: number) => Buffer.from(letter.repeat(count));

describe('a spool', () => {
  test('keeps what was written, whole segments under their names', async () => {
    await using spool = await open();
    await using segment = await spool.begin('0001', LENGTH);
    await segment.write([letters('a', 1000), letters('b', 0), letters('c', 24)]);
    expect([segment.written, segment.durable]).toEqual([1024, 0]);
    await segment.sync();
    expect(segment.durable).toBe(1024);
    expect(await spool.names()).toEqual(['0001.partial']);
    await segment.write([letters('d', LENGTH - 1024)]);
    await segment.complete();
    expect(await spool.names()).toEqual(['0001']);
    expect(readFileSync(spool.pathOf('0001'), 'latin1')).toBe(
      'a'.repeat(1000) + 'c'.repeat(24) + 'd'.repeat(LENGTH - 1024),
    );
  });

  test('is nobody else’s to read', async () => {
    await using spool = await open();
    await using segment = await spool.begin('0001', LENGTH);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(spool.pathOf(`${segment.name}.partial`)).mode & 0o777).toBe(0o600);
  });

  test('opened again keeps a partial segment until it is written over', async () => {
    {
      await using spool = await open();
      await using segment = await spool.begin('0001', LENGTH);
      await segment.write([letters('a', 3000)]);
      await segment.sync();
    }
    await using spool = await open();
    expect(await spool.names()).toEqual(['0001.partial']);
    await using segment = await spool.begin('0001', LENGTH);
    expect(segment.durable).toBe(0);
    await segment.write([letters('b', 1000)]);
    const content = readFileSync(spool.pathOf('0001.partial'), 'latin1');
    expect(content).toBe('b'.repeat(1000) + 'a'.repeat(2000) + '\0'.repeat(LENGTH - 3000));
  });

  test('completes nothing that is not full, and takes nothing that does not fit', async () => {
    await using spool = await open();
    await using segment = await spool.begin('0001', LENGTH);
    await segment.write([letters('a', LENGTH - 1)]);
    await expect(segment.complete()).rejects.toMatchObject({ code: 'internal' });
    await expect(segment.write([letters('b', 2)])).rejects.toMatchObject({ code: 'internal' });
    await segment.write([letters('c', 1)]);
    await segment.complete();
  });

  test('is one process’s at a time, and free again after it', async () => {
    {
      await using first = await open();
      await expect(open()).rejects.toMatchObject({
        code: 'spool.locked',
        message: expect.stringContaining(`process ${process.pid}`),
        subject: first.directory,
      });
    }
    await using again = await open();
    expect(await again.names()).toEqual([]);
  });

  test('of another source is refused and left as it is', async () => {
    {
      await using spool = await open();
      await spool.saveFile('00000002.history', Buffer.from('1\t0/3000060\n'));
    }
    const before = readdirSync(directory);
    const owner = { source: 'postgres', identity: '9999' };
    await expect(Spool.open({ directory, owner })).rejects.toMatchObject({
      code: 'spool.foreign',
      message: expect.stringMatching(/postgres 7234, not for postgres 9999/),
    });
    expect(readdirSync(directory)).toEqual(before);
  });

  test('is not made of a directory that holds something already', async () => {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'letters.txt'), 'dear');
    await expect(open()).rejects.toMatchObject({ code: 'spool.foreign' });
    expect(readFileSync(join(directory, 'letters.txt'), 'utf8')).toBe('dear');
  });

  test('forgets what it is told to, and files that were never finished', async () => {
    {
      await using spool = await open();
      await spool.saveFile('0001', Buffer.from('x'));
      await spool.saveFile('0002', Buffer.from('y'));
      await spool.remove(['0001']);
      writeFileSync(spool.pathOf('0003.tmp'), 'half');
    }
    await using spool = await open();
    expect(await spool.names()).toEqual(['0002']);
    expect(readdirSync(directory)).not.toContain('0003.tmp');
  });
});

describe('a spool whose disk fails', () => {
  test('says before a segment that it has no room for it', async () => {
    await using spool = await open({ ...systemSpoolDisk, freeBytes: async () => LENGTH - 1 });
    await expect(spool.begin('0001', LENGTH)).rejects.toMatchObject({ code: 'spool.full', retry: true });
  });

  test.each([
    ['ENOSPC', 'spool.full'],
    ['EIO', 'spool.io'],
  ])('stops at %s: what was durable stays, and the segment is not used again', async (errno, code) => {
    let failing = false;
    const disk: SpoolDisk = {
      ...systemSpoolDisk,
      openFile: async (path) => {
        const file = await systemSpoolDisk.openFile(path);
        const refuse = async () => {
          throw Object.assign(new Error(`${errno}: refused for the test, call`), { code: errno, errno: -1 });
        };
        return {
          ...file,
          write: (pieces, position) => (failing ? refuse() : file.write(pieces, position)),
          syncData: () => (failing ? refuse() : file.syncData()),
        };
      },
    };
    await using spool = await open(disk);
    {
      await using segment = await spool.begin('0001', LENGTH);
      await segment.write([letters('a', 100)]);
      await segment.sync();
      await segment.write([letters('b', 100)]);
      failing = true;
      await expect(segment.sync()).rejects.toMatchObject({ code, subject: spool.pathOf('0001.partial') });
      failing = false;
      expect(segment.durable).toBe(100);
      await expect(segment.sync()).rejects.toMatchObject({ code: 'internal' });
    }
    await using again = await spool.begin('0001', LENGTH);
    await again.write([letters('a', 100), letters('b', 100)]);
    await again.sync();
    expect(again.durable).toBe(200);
  });
});
