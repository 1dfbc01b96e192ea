import type { StoredSnapshot } from '../format/types.ts';
import { Failure } from '../kernel/failure.ts';

const GROUPINGS = ['host', 'paths', 'tags'] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** restic's default: what was backed up, from where. */
export const DEFAULT_GROUPING: readonly Grouping[] = ['host', 'paths'];

/** What the snapshots of a group have in common; only what was grouped by. Paths and tags are sorted. */
export interface SnapshotGroupKey {
  readonly host?: string;
  readonly paths?: readonly string[];
  readonly tags?: readonly string[];
}

export interface SnapshotGroup {
  readonly key: SnapshotGroupKey;
  readonly snapshots: readonly StoredSnapshot[];
}

/** Reads restic's notation: `host,paths`, singular or plural; an empty text means one group of all. */
export function parseGrouping(text: string): Grouping[] {
  const words = text.split(',').filter((word) => word !== '');
  return words.map((word) => {
    const grouping = GROUPINGS.find((name) => word === name || `${word}s` === name || word === `${name}s`);
    if (grouping !== undefined) return grouping;
    throw new Failure('usage', `Snapshots cannot be grouped by "${word}".`, {
      hint: 'Group by host, paths and tags, separated by commas.',
    });
  });
}

/** Groups in the order of their keys, whatever the order of the snapshots. */
export function groupSnapshots(
  snapshots: readonly StoredSnapshot[],
  groupBy: readonly Grouping[] = DEFAULT_GROUPING,
): SnapshotGroup[] {
  const groups = new Map<string, { key: SnapshotGroupKey; snapshots: StoredSnapshot[] }>();
  for (const snapshot of snapshots) {
    const key: SnapshotGroupKey = {
      ...(groupBy.includes('host') && { host: snapshot.hostname }),
      ...(groupBy.includes('paths') && { paths: snapshot.paths.toSorted() }),
      ...(groupBy.includes('tags') && { tags: snapshot.tags.toSorted() }),
    };
    const text = JSON.stringify(key);
    const group = groups.get(text);
    if (group === undefined) groups.set(text, { key, snapshots: [snapshot] });
    else group.snapshots.push(snapshot);
  }
  return [...groups.keys()].toSorted().flatMap((text) => groups.get(text) ?? []);
}
