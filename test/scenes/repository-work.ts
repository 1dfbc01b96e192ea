import { randomInt } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { backupFiles } from '../../engine/src/archive/backup/backup.ts';
import { fromText } from '../../engine/src/archive/backup/byte-path.ts';
import type { SnapshotLabels } from '../../engine/src/archive/backup/snapshot-summary.ts';
import { backupStream } from '../../engine/src/archive/backup/stream-backup.ts';
import { copySnapshots } from '../../engine/src/archive/copy/copy.ts';
import { restoreSnapshot } from '../../engine/src/archive/restore/restore.ts';
import type { Backend } from '../../engine/src/backend/backend.ts';
import { openLocal } from '../../engine/src/backend/local/local.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import type { Id } from '../../engine/src/kernel/id.ts';
import { checkRepository } from '../../engine/src/repository/check/check.ts';
import { forgetSnapshots } from '../../engine/src/repository/forget.ts';
import { changePassword } from '../../engine/src/repository/keys.ts';
import { withLock } from '../../engine/src/repository/locks.ts';
import { openRepository } from '../../engine/src/repository/open.ts';
import { pruneRepository } from '../../engine/src/repository/prune/prune.ts';
import type { Repository } from '../../engine/src/repository/repository.ts';
import { HOST, QUICK_KEY } from './backup-scene.ts';
import { contentOf } from './tree-arbitrary.ts';

/** One piece of work on a repository, as data, so that it can be handed to another process. */
export type Work =
  | { readonly does: 'backup'; readonly tree: string; readonly tag: string; readonly cacheDirectory?: string }
  | { readonly does: 'stream'; readonly size: number; readonly seed: number; readonly tag: string }
  | { readonly does: 'restore'; readonly snapshot: Id; readonly target: string }
  | { readonly does: 'forget'; readonly snapshots: readonly Id[] }
  | { readonly does: 'prune'; readonly maxUnusedPercent: number }
  | { readonly does: 'check' }
  /** To the repository in that directory, which has `COPY_PASSWORD`. */
  | { readonly does: 'copy'; readonly to: string }
  | { readonly does: 'change password'; readonly to: string };

/** What came of it. When it is told, it is promised. */
export interface Done {
  /** What a backup saved. */
  readonly snapshot?: Id;
  /** What a check complained about, or a restore, or a copy. */
  readonly findings?: readonly string[];
}

/** Small, so that a few files already fill some, and prune has something to choose from. */
const PACK_SIZE = 256 * 1024;
export const COPY_PASSWORD = 'of the copy';
export const STREAM_NAME = 'stream.bin';
const clock = systemClock;

/** Opens the repository, does the work, and closes it, so that everything is durable when this resolves. */
export async function perform(
  backend: Backend,
  password: string,
  work: Work,
  signal: AbortSignal,
): Promise<Done> {
  try {
    return await performOn(await openRepository(backend, password, signal), work, signal);
  } finally {
    await backend.close();
  }
}

async function performOn(repository: Repository, work: Work, signal: AbortSignal): Promise<Done> {
  switch (work.does) {
    case 'backup': {
      const { cacheDirectory } = work;
      const { snapshot } = await backupFiles(repository, {
        ...common(signal),
        paths: [fromText(basename(work.tree))],
        workingDirectory: dirname(work.tree),
        labels: labels(work.tag),
        selection: { patterns: [], patternsIgnoringCase: [], tagFiles: [] },
        ...(cacheDirectory === undefined ? {} : { cacheDirectory }),
      });
      return saved(snapshot);
    }
    case 'stream': {
      const stream = slowly(contentOf(work.size, work.seed));
      const { snapshot } = await backupStream(repository, {
        ...common(signal),
        stream,
        name: STREAM_NAME,
        labels: labels(work.tag),
      });
      return saved(snapshot);
    }
    case 'restore': {
      // Or else a prune beside it takes away the packs that the index named when it was read.
      const lock = { exclusive: false, clock, signal };
      return await withLock(repository, lock, (held) => restore(repository, work, held));
    }
    case 'forget':
      await forgetSnapshots(repository, work.snapshots, { clock, signal });
      return {};
    case 'prune': {
      const maxUnused = { percent: work.maxUnusedPercent };
      await pruneRepository(repository, {
        clock,
        signal,
        maxUnused,
        packSize: PACK_SIZE,
        approve: () => true,
      });
      return {};
    }
    case 'check': {
      const { findings } = await checkRepository(repository, {
        clock,
        signal,
        random: Math.random,
        readData: 'all',
        threads: 1,
      });
      return {
        findings: findings.filter(({ severity }) => severity === 'error').map(({ message }) => message),
      };
    }
    case 'copy': {
      const lock = { exclusive: false, clock, signal };
      return await withLock(repository, lock, (held) => copyTo(work.to, repository, held));
    }
    case 'change password':
      await changePassword(repository, work.to, { clock, signal, kdf: QUICK_KEY });
      return {};
  }
}

async function copyTo(path: string, repository: Repository, signal: AbortSignal): Promise<Done> {
  const backend = await openLocal({ path });
  try {
    const { findings } = await copySnapshots(
      repository,
      await openRepository(backend, COPY_PASSWORD, signal),
      {
        clock,
        random: Math.random,
        snapshots: await repository.loadSnapshots(signal),
        packSize: PACK_SIZE,
        threads: 2,
        signal,
      },
    );
    const errors = findings.filter(({ severity }) => severity === 'error');
    return { findings: errors.map(({ subject, message }) => `${subject}: ${message}`) };
  } finally {
    await backend.close();
  }
}

async function restore(
  repository: Repository,
  { snapshot, target }: Work & { does: 'restore' },
  signal: AbortSignal,
): Promise<Done> {
  const indexed = await repository.loadIndex(signal);
  const { tree } = await repository.loadSnapshot(snapshot, signal);
  const findings: string[] = [];
  const source = { tree };
  await restoreSnapshot(indexed, source, {
    clock,
    target,
    workers: 1,
    signal,
    onProblem: (problem) => findings.push(JSON.stringify(problem)),
  });
  return { findings };
}

function common(signal: AbortSignal) {
  return { clock, signal, workers: 2, packSize: PACK_SIZE };
}

function labels(tag: string): SnapshotLabels {
  return {
    hostname: HOST,
    username: 'somebody',
    uid: 0,
    gid: 0,
    tags: [tag],
    time: new Date().toISOString(),
    programVersion: 'holdfast 0.1.0',
  };
}

function saved(snapshot: { readonly id: Id } | undefined): Done {
  return snapshot === undefined ? {} : { snapshot: snapshot.id };
}

/** In pieces of any length, and not all of them within one turn of the event loop. */
async function* slowly(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const piece = bytes.subarray(at, at + randomInt(1, 200_000));
    at += piece.length;
    await new Promise(setImmediate);
    yield piece;
  }
}
