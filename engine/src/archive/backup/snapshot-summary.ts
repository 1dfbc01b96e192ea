import type { Snapshot, SnapshotSummary, StoredSnapshot } from '../../format/types.ts';
import type { Id } from '../../kernel/id.ts';
import type { Counts } from './counters.ts';

/** Who and what a snapshot says it is. */
export interface SnapshotLabels {
  readonly hostname: string;
  readonly username: string;
  readonly uid: number;
  readonly gid: number;
  readonly tags: readonly string[];
  /** RFC 3339 with an offset. */
  readonly time: string;
  readonly programVersion: string;
}

export interface SnapshotParts {
  readonly tree: Id;
  readonly paths: readonly string[];
  readonly parent: StoredSnapshot | undefined;
  readonly excludes: readonly string[];
  readonly summary: SnapshotSummary;
}

export function describeSnapshot(labels: SnapshotLabels, parts: SnapshotParts): Snapshot {
  const { tree, paths, parent, excludes, summary } = parts;
  return {
    ...labels,
    ...(parent === undefined ? {} : { parent: parent.id }),
    tree,
    paths,
    excludes,
    summary,
  };
}

/** restic's figures for a snapshot. Times in milliseconds since the epoch. */
export function summarize(counts: Counts, startedAt: number, endedAt: number): SnapshotSummary {
  return {
    backupStart: new Date(startedAt).toISOString(),
    backupEnd: new Date(endedAt).toISOString(),
    filesNew: counts.filesNew,
    filesChanged: counts.filesChanged,
    filesUnmodified: counts.filesUnmodified,
    dirsNew: counts.dirsNew,
    dirsChanged: counts.dirsChanged,
    dirsUnmodified: counts.dirsUnmodified,
    dataBlobs: counts.dataBlobs,
    treeBlobs: counts.treeBlobs,
    dataAdded: counts.dataAdded + counts.treeAdded,
    dataAddedPacked: counts.dataPacked + counts.treePacked,
    totalFilesProcessed: counts.filesNew + counts.filesChanged + counts.filesUnmodified,
    totalBytesProcessed: counts.bytesProcessed,
  };
}
