import { randomBytes, randomFillSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Backend,
  backupFiles,
  cache,
  createBackend,
  createRepository,
  openBackend,
  openRepository,
  parseAddress,
  restoreSnapshot,
  systemClock,
  takeLock,
} from '@holdfast/engine';
import { afterAll, expect } from 'vitest';
import type { RunningS3 } from '../servers/s3-server.ts';
import { startSlowProxy, type Way } from '../servers/slow-proxy.ts';
import { testWith } from '../servers/test-with.ts';
import { startVersitygw, versitygw } from '../servers/versitygw.ts';

/*
 * How much of a line a far repository can use. Nothing may depend on how far it is, but what has to be asked one after
 * the other, and that is the same for a small backup and for a large one.
 */

const MIB = 1024 * 1024;
const FILES = 32;
const FILE_BYTES = 4 * MIB;
/** 200 Mbit/s. */
const RATE = 25_000_000;
/** For what has to be asked one after the other, and for what a busy machine does in between; in milliseconds. */
const FIXED = 2000;
const NEAR: Way = { roundTrip: 0, rate: RATE };
const FAR: Way = { roundTrip: 80, rate: RATE };

const directory = mkdtempSync(join(tmpdir(), 'far-away-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

testWith(versitygw)(
  'a repository 80 ms away takes as long as a near one on the same line, and two seconds more',
  { timeout: 240_000 },
  async ({ server }) => {
    await using running = await startVersitygw(server.path);
    Object.assign(process.env, running.environment);
    const near = await roundTrip(running, NEAR, 'near');
    const far = await roundTrip(running, FAR, 'far');
    expect(far.backup).toBeLessThan(near.backup * 1.15 + FIXED);
    expect(far.restore).toBeLessThan(near.restore * 1.15 + FIXED);
  },
);

/** Backs up and restores; tells how long each took, opening included, in milliseconds. */
async function roundTrip(server: RunningS3, way: Way, name: string) {
  await using proxy = await startSlowProxy(Number(new URL(server.endpoint).port), way);
  const source = join(directory, name);
  mkdirSync(source);
  for (let file = 0; file < FILES; file += 1) {
    writeFileSync(join(source, `${file}`), randomFillSync(Buffer.alloc(FILE_BYTES)));
  }
  const address = parseAddress(`s3:http://127.0.0.1:${proxy.port}/far-${randomBytes(4).toString('hex')}`);
  const settings = { extended: new Map(), environment: server.environment };
  const password = 'far away';
  const made = await createBackend(address, settings);
  await createRepository(made, password, { clock: systemClock, kdf: { N: 2 ** 14, r: 8, p: 1 } });
  await made.close();

  const open = async () => {
    const backend = await openBackend(address, settings);
    const found = await openRepository(backend, password);
    const options = {
      clock: systemClock,
      directory: join(directory, 'cache'),
      repositoryId: found.config.id,
    };
    return found.behind((inner: Backend) => cache(inner, options));
  };
  const timed = async (work: () => Promise<void>) => {
    const startedAt = performance.now();
    await work();
    return Math.round(performance.now() - startedAt);
  };
  const backup = await timed(async () => {
    const repository = await open();
    await backupFiles(repository, {
      clock: systemClock,
      paths: [source],
      workingDirectory: directory,
      labels: {
        hostname: 'desk',
        username: 'ann',
        uid: 1000,
        gid: 1000,
        tags: [],
        time: '2026-11-20T10:00:00Z',
        programVersion: 'test',
      },
      selection: { patterns: [], patternsIgnoringCase: [], tagFiles: [] },
    });
    await repository.backend.close();
  });
  const restore = await timed(async () => {
    const repository = await open();
    const lock = await takeLock(repository, { exclusive: false, clock: systemClock });
    const [snapshot] = await repository.loadSnapshots();
    const target = join(directory, `${name}-target`);
    if (snapshot === undefined) throw new Error('There is no snapshot.');
    const { counts } = await restoreSnapshot(await repository.loadIndex(), snapshot, {
      clock: systemClock,
      target,
    });
    expect(counts.filesDone).toBe(FILES);
    await lock.release();
    await repository.backend.close();
  });
  return { backup, restore };
}
