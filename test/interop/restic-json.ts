import type { Change, DiffFigures, DiffStatistics } from '../../engine/src/archive/browse/diff.ts';
import type { FoundNode } from '../../engine/src/archive/browse/find-names.ts';
import type { FoundObject } from '../../engine/src/archive/browse/find-objects.ts';
import { modeText } from '../../engine/src/archive/browse/mode-text.ts';
import type { SearchResult } from '../../engine/src/archive/browse/snapshot-search.ts';
import { pathText } from '../../engine/src/archive/filter/path-text.ts';
import { goModeOf } from '../../engine/src/format/go-mode.ts';
import { formatTime } from '../../engine/src/format/go-time.ts';

/*
 * Our results in the shapes of restic's --json (restic manual, "Scripting"), to be compared with restic's own.
 * A byte of a name that is not UTF-8 is a lone surrogate (U+DC80…U+DCFF), which JSON.stringify writes as \udcxx: restic
 * writes U+FFFD there, and readers that know no lone surrogates see just that.
 */

/** A line of `ls --json`. */
export function listedJson({ path, node }: FoundNode): Record<string, unknown> {
  return {
    name: pathText(node.name),
    type: node.type,
    path,
    uid: node.uid,
    gid: node.gid,
    size: node.type === 'file' ? node.size : undefined,
    mode: goModeOf(node.type, node.mode),
    permissions: modeText(node),
    mtime: formatTime(node.mtime),
    atime: formatTime(node.atime),
    ctime: formatTime(node.ctime),
    struct_type: 'node',
    message_type: 'node',
  };
}

/** An element of what `find --json` answers. */
export function foundNodesJson({ snapshot, matches }: SearchResult<FoundNode>): Record<string, unknown> {
  return { matches: matches.map(foundNodeJson), hits: matches.length, snapshot: snapshot.id };
}

function foundNodeJson({ path, node }: FoundNode): Record<string, unknown> {
  return {
    path,
    permissions: modeText(node),
    type: node.type,
    mode: goModeOf(node.type, node.mode),
    mtime: formatTime(node.mtime),
    atime: formatTime(node.atime),
    ctime: formatTime(node.ctime),
    uid: node.uid,
    gid: node.gid,
    user: node.user || undefined,
    group: node.group || undefined,
    device_id: Number(node.deviceId) || undefined,
    size: node.size || undefined,
    links: node.links || undefined,
    linktarget: node.linkTarget === undefined ? undefined : pathText(node.linkTarget),
  };
}

/** The elements of what `find --blob`, `--tree` and `--pack` answer for one snapshot. */
export function foundObjectsJson({
  snapshot,
  matches,
}: SearchResult<FoundObject>): Record<string, unknown>[] {
  return matches.map(({ type, id, path, parent, pack }) => ({
    object_type: type === 'data' ? 'blob' : 'tree',
    id,
    path,
    parent_tree: parent,
    pack,
    snapshot: snapshot.id,
    time: snapshot.time,
  }));
}

/** A line of `diff --json`. */
export function changeJson({ path, modifier, before, after }: Change): Record<string, unknown> {
  const isFolder = (after ?? before)?.type === 'dir';
  return { message_type: 'change', path: isFolder ? `${path}/` : path, modifier };
}

/** The last line of `diff --json`; the snapshots as they were asked for. */
export function statisticsJson(
  { changedFiles, added, removed }: DiffStatistics,
  compared: { readonly source: string; readonly target: string },
): Record<string, unknown> {
  return {
    message_type: 'statistics',
    source_snapshot: compared.source,
    target_snapshot: compared.target,
    changed_files: changedFiles,
    added: figuresJson(added),
    removed: figuresJson(removed),
  };
}

function figuresJson(figures: DiffFigures): Record<string, number> {
  const { files, dirs, others, dataBlobs, treeBlobs, bytes } = figures;
  return { files, dirs, others, data_blobs: dataBlobs, tree_blobs: treeBlobs, bytes };
}
