import type { SnapshotSummary, StoredSnapshot } from '../format/types.ts';
import type { Id } from '../kernel/id.ts';

/*
 * Many snapshots as one JSON text, small and quick to parse: what snapshots of a source have in common stands there once,
 * and names of fields stand nowhere.
 *
 *     { "layout": "remembered snapshots 1",
 *       "commons": [[paths, hostname, username, uid, gid, excludes, tags, program version or null], …],
 *       "snapshots": [[id, time, parent or null, tree, position of its common, original or null, summary or null], …] }
 *
 *     summary: [backup start, backup end, its twelve figures]
 */
const LAYOUT = 'remembered snapshots 1';

type Common = readonly [
  paths: readonly string[],
  hostname: string,
  username: string,
  uid: number,
  gid: number,
  excludes: readonly string[],
  tags: readonly string[],
  programVersion: string | null,
];

type Row = readonly [
  id: Id,
  time: string,
  parent: Id | null,
  tree: Id,
  common: number,
  original: Id | null,
  summary: Figures | null,
];

/** The two times and the twelve figures, in the order of `SnapshotSummary`. */
type Figures = readonly [
  ...[string, string],
  ...[number, number, number, number, number, number],
  ...[number, number, number, number, number, number],
];

/** The first of `snapshots` that fit into `capacity` characters. */
export function encodeRows(snapshots: Iterable<StoredSnapshot>, capacity: number): Buffer {
  const commons = new Map<string, number>();
  const rows: string[] = [];
  let left = capacity;
  for (const snapshot of snapshots) {
    const common = JSON.stringify(commonOf(snapshot));
    const row = JSON.stringify(rowOf(snapshot, commons.get(common) ?? commons.size));
    left -= row.length + (commons.has(common) ? 0 : common.length) + 2;
    if (left < 0) break;
    if (!commons.has(common)) commons.set(common, commons.size);
    rows.push(row);
  }
  return Buffer.from(
    `{"layout":"${LAYOUT}","commons":[${[...commons.keys()].join()}],"snapshots":[${rows.join()}]}`,
  );
}

/** What was encoded, undefined when it was not by this layout. The caller has proved that the text is our own. */
export function decodeRows(json: Buffer): Map<Id, StoredSnapshot> | undefined {
  const { layout, commons, snapshots } = JSON.parse(json.toString()) as {
    readonly layout?: string;
    readonly commons: readonly Common[];
    readonly snapshots: readonly Row[];
  };
  if (layout !== LAYOUT) return undefined;
  const found = new Map<Id, StoredSnapshot>();
  for (const row of snapshots) {
    const common = commons[row[4]];
    if (common === undefined) return undefined;
    found.set(row[0], snapshotOf(row, common));
  }
  return found;
}

function commonOf(snapshot: StoredSnapshot): Common {
  const { paths, hostname, username, uid, gid, excludes, tags, programVersion = null } = snapshot;
  return [paths, hostname, username, uid, gid, excludes, tags, programVersion];
}

function rowOf(snapshot: StoredSnapshot, common: number): Row {
  const { id, time, parent = null, tree, original = null, summary } = snapshot;
  return [id, time, parent, tree, common, original, summary === undefined ? null : figuresOf(summary)];
}

/** In the order of fields that a snapshot has when it was read from its file. */
function snapshotOf(
  [id, time, parent, tree, , original, summary]: Row,
  [paths, hostname, username, uid, gid, excludes, tags, programVersion]: Common,
): StoredSnapshot {
  return {
    time,
    ...(parent === null ? {} : { parent }),
    tree,
    paths,
    hostname,
    username,
    uid,
    gid,
    excludes,
    tags,
    ...(original === null ? {} : { original }),
    ...(programVersion === null ? {} : { programVersion }),
    ...(summary === null ? {} : { summary: summaryOf(summary) }),
    id,
  };
}

function figuresOf(of: SnapshotSummary): Figures {
  return [
    of.backupStart,
    of.backupEnd,
    of.filesNew,
    of.filesChanged,
    of.filesUnmodified,
    of.dirsNew,
    of.dirsChanged,
    of.dirsUnmodified,
    of.dataBlobs,
    of.treeBlobs,
    of.dataAdded,
    of.dataAddedPacked,
    of.totalFilesProcessed,
    of.totalBytesProcessed,
  ];
}

function summaryOf(figures: Figures): SnapshotSummary {
  return {
    backupStart: figures[0],
    backupEnd: figures[1],
    filesNew: figures[2],
    filesChanged: figures[3],
    filesUnmodified: figures[4],
    dirsNew: figures[5],
    dirsChanged: figures[6],
    dirsUnmodified: figures[7],
    dataBlobs: figures[8],
    treeBlobs: figures[9],
    dataAdded: figures[10],
    dataAddedPacked: figures[11],
    totalFilesProcessed: figures[12],
    totalBytesProcessed: figures[13],
  };
}
