import {
  type Clock,
  createFixedChunker,
  describeSnapshot,
  type Repository,
  type SnapshotLabels,
  type StoredSnapshot,
  summarize,
  WritingSession,
  withWriteLock,
} from '@holdfast/engine';
import { ContentTree } from './content-tree.ts';

export interface SaveOptions {
  readonly clock: Clock;
  readonly labels: SnapshotLabels;
  /** By which restic groups snapshots; not a place on any disk. */
  readonly paths: readonly string[];
  /** Milliseconds to wait while somebody has the repository for himself. */
  readonly retryLock: number;
  readonly signal: AbortSignal;
}

/** Documents of ours, each by its path in the tree, become a snapshot of their own: durable when it resolves. */
export async function saveDocuments(
  repository: Repository,
  documents: ReadonlyMap<string, Buffer>,
  { clock, labels, paths, retryLock, signal }: SaveOptions,
): Promise<StoredSnapshot> {
  const startedAt = clock.now();
  const lock = { clock, dryRun: false, retryFor: retryLock, signal };
  return await withWriteLock(repository, lock, async ({ indexed, mayWrite, signal, saveSnapshot }) => {
    const writer = new WritingSession(indexed, { clock, mayWrite, signal, workers: 1 });
    try {
      const { uid, gid, username: user } = labels;
      const ours = { mode: 0o644, uid, gid, user, group: '', mtime: Math.floor(startedAt / 1000) };
      const tree = new ContentTree({ ...ours, mode: 0o755 });
      let bytesProcessed = 0;
      for (const [path, bytes] of documents) {
        const { content, size } = await writer.saveStream(pieces(bytes), createFixedChunker(CHUNK_BYTES));
        tree.addFile(path, ours, size, Promise.resolve([...content]));
        bytesProcessed += size;
      }
      const root = await tree.save(writer);
      await writer.finish();
      const counts = { ...writer.counts(), filesNew: documents.size, bytesProcessed };
      const summary = summarize(counts, startedAt, clock.now());
      const parts = { tree: root, paths: [...paths], parent: undefined, excludes: [], summary };
      return await saveSnapshot(describeSnapshot(labels, parts));
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  });
}

async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

const CHUNK_BYTES = 512 * 1024;
