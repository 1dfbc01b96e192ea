import {
  type Clock,
  createFixedChunker,
  describeSnapshot,
  type Id,
  type KeptIndex,
  type Node,
  type Repository,
  type SnapshotLabels,
  type StoredSnapshot,
  summarize,
  type WriteAccess,
  WritingSession,
  withWriteLock,
} from '@holdfast/engine';

/*
 * A journal in a repository. A slice is an ordinary snapshot with the files that the journal grew by:
 *
 *     /postgres/7234…/wal/000000010000000000000003
 *                         000000010000000000000004
 *                         000000010000000000000005.partial
 *
 * tagged `journal`, the source's kind, its level and whatever the source adds (how far the partial file reaches). All
 * slices share one place in the tree, so that stock restic restores any number of them into one directory. Their
 * `paths`, by which restic groups snapshots, are each slice's own: `restic forget --keep-daily` keeps them all, where
 * it would thin out a group that has many a day.
 */

/** `slice` as it was shipped; later an hour's or a day's slices in one. */
export const LEVELS = ['slice', 'hour', 'day'] as const;
export type Level = (typeof LEVELS)[number];

export const JOURNAL_TAG = 'journal';

export interface JournalPlace {
  /** The source's kind: `postgres`. Also a tag. */
  readonly source: string;
  /** Names of the directories that hold the files, from the root of the tree on. */
  readonly directory: readonly string[];
}

export interface SliceFile {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modified: number;
  readonly content: AsyncIterable<Uint8Array>;
}

export interface SliceWriter {
  readonly repository: Repository;
  /** Of this repository, for slices alone. */
  readonly index: KeptIndex;
  readonly place: JournalPlace;
  readonly clock: Clock;
  /** Whose and which; time and tags are the slice's own. */
  readonly labels: Omit<SnapshotLabels, 'tags' | 'time'>;
  /** That every slice has besides its own, roll-ups as well. */
  readonly tags?: readonly string[];
  /** Milliseconds to wait while somebody has the repository for himself. */
  readonly retryLock: number;
  readonly signal: AbortSignal;
}

export interface SliceOrder {
  readonly files: readonly SliceFile[];
  /** Of the last byte in it: what the journal's window is told by. Milliseconds since the epoch. */
  readonly time: number;
  /** Asked when the files have been read. */
  readonly tags: () => readonly string[];
}

/** Saves files as a slice. When it resolves they are in the repository, durably, and may be removed from the spool. */
export async function saveSlice(writer: SliceWriter, order: SliceOrder): Promise<StoredSnapshot> {
  return await writeSlice(writer, { ...order, level: 'slice' }, async (session) => {
    const nodes: Node[] = [];
    for (const file of order.files) {
      const { content, size } = await session.saveStream(file.content, createFixedChunker(CHUNK_BYTES));
      nodes.push(fileNode(writer, file, content, size));
    }
    return nodes;
  });
}

export interface WriteOrder {
  readonly level: Level;
  readonly time: number;
  readonly tags: () => readonly string[];
}

/** One slice under one short lock; `save` answers its files. */
export async function writeSlice(
  writer: SliceWriter,
  order: WriteOrder,
  save: (session: WritingSession, access: WriteAccess) => Promise<readonly Node[]>,
): Promise<StoredSnapshot> {
  const { repository, index, clock, place, labels } = writer;
  const startedAt = clock.now();
  const lock = { clock, dryRun: false, retryFor: writer.retryLock, signal: writer.signal, kept: index };
  return await withWriteLock(repository, lock, async (access) => {
    // Begun again, the work would have to read its streams again.
    await access.mayWrite;
    const { indexed, signal, mayWrite } = access;
    const session = new WritingSession(indexed, { clock, mayWrite, signal, workers: 1 });
    try {
      const files = byName(await save(session, access));
      const tree = await saveBelow(session, writer, files);
      await session.finish();
      const counts = { ...session.counts(), filesNew: files.length, bytesProcessed: sizeOf(files) };
      const snapshot = describeSnapshot(
        {
          ...labels,
          time: new Date(order.time).toISOString(),
          tags: [JOURNAL_TAG, place.source, order.level, ...order.tags(), ...(writer.tags ?? [])],
        },
        {
          tree,
          paths: [`/${[...place.directory, span(files)].join('/')}`],
          parent: undefined,
          excludes: [],
          summary: summarize(counts, startedAt, clock.now()),
        },
      );
      return await access.saveSnapshot(snapshot);
    } catch (error) {
      await session.abandon();
      throw error;
    }
  });
}

async function saveBelow(session: WritingSession, writer: SliceWriter, files: readonly Node[]): Promise<Id> {
  let tree = await session.saveTree(files);
  for (const name of writer.place.directory.toReversed()) {
    const directory: Node = {
      ...inventedNode(writer, writer.clock.now()),
      type: 'dir',
      mode: 0o755,
      name: Buffer.from(name),
      size: 0,
      subtree: tree,
    };
    tree = await session.saveTree([directory]);
  }
  return tree;
}

function fileNode(writer: SliceWriter, file: SliceFile, content: readonly Id[], size: number): Node {
  return {
    ...inventedNode(writer, file.modified),
    type: 'file',
    mode: 0o600,
    links: 1,
    name: Buffer.from(file.name),
    size,
    content,
  };
}

function inventedNode({ labels }: SliceWriter, milliseconds: number) {
  const time = BigInt(Math.round(milliseconds)) * 1_000_000n;
  return {
    mtime: time,
    atime: time,
    ctime: time,
    uid: labels.uid,
    gid: labels.gid,
    user: labels.username,
    group: '',
    inode: 0n,
    deviceId: 0n,
    links: 0,
    extendedAttributes: [],
    device: 0n,
  } as const;
}

/** restic wants a tree's entries in the order of their names' bytes. */
function byName(nodes: readonly Node[]): Node[] {
  return nodes.toSorted((a, b) => Buffer.compare(a.name, b.name));
}

function sizeOf(nodes: readonly Node[]): number {
  return nodes.reduce((sum, { size }) => sum + size, 0);
}

function span(files: readonly Node[]): string {
  return `${files[0]?.name ?? ''}..${files.at(-1)?.name ?? ''}`;
}

/**
 * Cut at fixed places: a segment that is shipped while it fills shares all its full chunks with the next time, and its
 * empty rest is one chunk of zeros.
 */
const CHUNK_BYTES = 512 * 1024;
