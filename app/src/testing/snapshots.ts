import type { Id, SnapshotSummary, StoredSnapshot } from '@holdfast/engine';

/** An id that begins with `digits`. */
export function idOf(digits: string): Id {
  return digits.padEnd(64, '0') as Id;
}

export function snapshotOf(digits: string, changes: Partial<StoredSnapshot> = {}): StoredSnapshot {
  return {
    id: idOf(digits),
    time: '2026-11-21T10:44:00.123456789+00:00',
    tree: idOf('ee'),
    paths: ['/home/ann'],
    hostname: 'db-2',
    username: 'ann',
    uid: 1000,
    gid: 1000,
    excludes: [],
    tags: [],
    ...changes,
  };
}

export function figuresOf(changes: Partial<SnapshotSummary> = {}): SnapshotSummary {
  return {
    backupStart: '2026-11-21T10:44:00Z',
    backupEnd: '2026-11-21T10:44:01Z',
    filesNew: 120,
    filesChanged: 3,
    filesUnmodified: 11_719,
    dirsNew: 0,
    dirsChanged: 0,
    dirsUnmodified: 0,
    dataBlobs: 0,
    treeBlobs: 0,
    dataAdded: 41_200_000,
    dataAddedPacked: 22_900_000,
    totalFilesProcessed: 11_842,
    totalBytesProcessed: 118_000_000,
    ...changes,
  };
}
