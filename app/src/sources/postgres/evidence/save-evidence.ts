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
import { BaseTree } from '../base/tree.ts';
import { EVIDENCE_FILE, type Evidence } from './evidence.ts';

export interface SaveOptions {
  readonly clock: Clock;
  readonly labels: SnapshotLabels;
  /** Milliseconds to wait while somebody has the repository for himself. */
  readonly retryLock: number;
  readonly signal: AbortSignal;
}

/** Evidence becomes a snapshot of its own, so that it can be taken after any base, and be kept longer than one. */
export async function saveEvidence(
  repository: Repository,
  evidence: Evidence,
  { clock, labels, retryLock, signal }: SaveOptions,
): Promise<StoredSnapshot> {
  const startedAt = clock.now();
  const lock = { clock, dryRun: false, retryFor: retryLock, signal };
  return await withWriteLock(repository, lock, async ({ indexed, mayWrite, signal }) => {
    const writer = new WritingSession(indexed, { clock, mayWrite, signal, workers: 1 });
    try {
      const { uid, gid, username: user } = labels;
      const ours = { mode: 0o644, uid, gid, user, group: '', mtime: Math.floor(startedAt / 1000) };
      const bytes = Buffer.from(`${JSON.stringify(evidence, null, 2)}\n`);
      const { content, size } = await writer.saveStream(pieces(bytes), createFixedChunker(CHUNK_BYTES));
      const tree = new BaseTree({ ...ours, mode: 0o755 });
      tree.addFile(EVIDENCE_FILE, ours, size, Promise.resolve([...content]));
      const root = await tree.save(writer);
      await writer.finish();
      const counts = { ...writer.counts(), filesNew: 1, bytesProcessed: size };
      const snapshot = describeSnapshot(labels, {
        tree: root,
        paths: [`/postgres/${evidence.systemId}/evidence`],
        parent: undefined,
        excludes: [],
        summary: summarize(counts, startedAt, clock.now()),
      });
      return { ...snapshot, id: await repository.saveSnapshot(snapshot, signal) };
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
