import { createChunker } from '../../chunker/gear.ts';
import type { CompressionMode } from '../../format/compression.ts';
import type { Node, StoredSnapshot } from '../../format/types.ts';
import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import type { Id } from '../../kernel/id.ts';
import type { Repository } from '../../repository/repository.ts';
import type { CrewThreads } from './crew-threads.ts';
import { describeSnapshot, type SnapshotLabels, summarize } from './snapshot-summary.ts';
import { withWriteLock } from './write-lock.ts';
import { WritingSession } from './writing-session.ts';

export interface StreamBackupOptions {
  readonly clock: Clock;
  readonly stream: AsyncIterable<Uint8Array>;
  /** The path of the one file in the snapshot: `dump.sql`, or `db/dump.sql`. */
  readonly name: string;
  readonly labels: SnapshotLabels;
  /** Do everything but save: the caller hands in a repository whose backend drops what is saved. */
  readonly dryRun?: boolean;
  readonly compression?: CompressionMode;
  readonly packSize?: number;
  readonly workers?: number;
  /** Worker threads that were started ahead; ended when the backup ends. */
  readonly threads?: CrewThreads;
  readonly retryLock?: number;
  readonly signal?: AbortSignal;
  readonly onStart?: (session: Pick<WritingSession, 'counts' | 'currentPaths'>) => void;
}

export interface StreamBackupResult {
  /** Absent in a dry run. */
  readonly snapshot: StoredSnapshot | undefined;
  readonly tree: Id;
  /** Bytes of the stream. */
  readonly size: number;
  readonly counts: ReturnType<WritingSession['counts']>;
  /** Milliseconds. */
  readonly took: number;
}

/**
 * Saves a stream as a snapshot with one file. A stream that fails leaves no snapshot: half a dump that looks like a
 * whole one is worse than none.
 */
export async function backupStream(
  repository: Repository,
  options: StreamBackupOptions,
): Promise<StreamBackupResult> {
  const { clock, labels } = options;
  const startedAt = clock.now();
  const place = placeOf(options.name);
  const lock = {
    clock,
    dryRun: options.dryRun ?? false,
    retryFor: options.retryLock ?? 0,
    signal: options.signal,
  };
  return await withWriteLock(repository, lock, async ({ indexed, signal, mayWrite, saveSnapshot }) => {
    // Begun again, work could not read the stream again: nothing of it is read before the lock counts.
    await mayWrite;
    const session = new WritingSession(indexed, { ...options, signal, mayWrite });
    options.onStart?.(session);
    let tree: Id;
    let size: number;
    try {
      const chunker = createChunker(repository.config.chunkerPolynomial);
      const saved = await session.saveStream(options.stream, chunker);
      size = saved.size;
      tree = await saveBelow(session, place, fileNode(saved, labels, clock.now()), labels, clock.now());
      await session.finish();
    } catch (error) {
      await session.abandon();
      throw error;
    }
    const counts = { ...session.counts(), filesNew: 1, bytesProcessed: size };
    const snapshot = describeSnapshot(labels, {
      tree,
      paths: [`/${place.join('/')}`],
      parent: undefined,
      excludes: [],
      summary: summarize(counts, startedAt, clock.now()),
    });
    const stored = options.dryRun ? undefined : await saveSnapshot(snapshot);
    return { snapshot: stored, tree, size, counts, took: clock.now() - startedAt };
  });
}

function placeOf(name: string): string[] {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.length === 0 || parts.includes('..') || name.includes('\0')) {
    throw new Failure('usage', `"${name}" cannot be a file's name in a snapshot`, {
      hint: 'give a name such as dump.sql with --stdin-filename',
    });
  }
  return parts;
}

async function saveBelow(
  session: WritingSession,
  place: readonly string[],
  leaf: Omit<Node, 'name'>,
  labels: SnapshotLabels,
  now: number,
): Promise<Id> {
  let node: Node = { ...leaf, name: Buffer.from(place.at(-1) ?? '') };
  for (const name of place.slice(0, -1).reverse()) {
    const subtree = await session.saveTree([node]);
    node = {
      ...inventedNode(labels, now),
      type: 'dir',
      mode: 0o755,
      name: Buffer.from(name),
      size: 0,
      subtree,
    };
  }
  return await session.saveTree([node]);
}

function fileNode(saved: { content: readonly Id[]; size: number }, labels: SnapshotLabels, now: number) {
  return { ...inventedNode(labels, now), type: 'file', mode: 0o644, links: 1, ...saved } as const;
}

/** What a node says that no file on disk stands behind. */
function inventedNode(labels: SnapshotLabels, now: number) {
  const time = BigInt(now) * 1_000_000n;
  const { uid, gid, username } = labels;
  return {
    mtime: time,
    atime: time,
    ctime: time,
    uid,
    gid,
    user: username,
    group: '',
    inode: 0n,
    deviceId: 0n,
    links: 0,
    extendedAttributes: [],
    device: 0n,
  } as const;
}
