import { type StoredSnapshot, shortId } from '@holdfast/engine';
import { formatAge, formatBytes, formatCounted, formatTime } from '../format.ts';
import { printable } from '../width.ts';
import { renderTable } from './table.ts';

export interface Reader {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly timeZone: string;
  readonly width: number;
}

const COLUMNS = [
  { title: 'point' },
  { title: 'taken' },
  { title: '' },
  { title: 'host' },
  { title: 'size', align: 'right' },
  { title: 'tags' },
  { title: 'paths', flexible: true },
] as const;

/** Oldest first, so that the newest stands where the eye is: above the prompt. */
export function renderPoints(snapshots: readonly StoredSnapshot[], reader: Reader): string[] {
  if (snapshots.length === 0) return ['No points yet. Next: holdfast files backup PATH'];
  const sorted = snapshots
    .map((snapshot) => ({ snapshot, taken: momentOf(snapshot) }))
    .sort((a, b) => a.taken - b.taken);
  const newest = sorted.at(-1)?.snapshot;
  const rows = sorted.map(({ snapshot, taken }) => pointRow(snapshot, taken, reader));
  const next =
    newest === undefined ? '' : `   Next: holdfast files restore ${shortId(newest.id)} --target DIR`;
  return [...renderTable(COLUMNS, rows, reader.width), '', formatCounted(sorted.length, 'point') + next];
}

export function pointRecord(snapshot: StoredSnapshot): Record<string, unknown> {
  return { type: 'point', ...snapshot };
}

/** Milliseconds since the epoch, of the RFC 3339 time with up to nine digits that the snapshot carries. */
export function momentOf(snapshot: StoredSnapshot): number {
  return Temporal.Instant.from(snapshot.time).epochMilliseconds;
}

function pointRow(snapshot: StoredSnapshot, taken: number, reader: Reader): string[] {
  const { summary } = snapshot;
  return [
    shortId(snapshot.id),
    formatTime(taken, reader.timeZone),
    formatAge(taken, reader.now),
    printable(snapshot.hostname),
    summary === undefined ? '' : formatBytes(summary.totalBytesProcessed),
    printable(snapshot.tags.join(',')),
    printable(snapshot.paths.join(', ')),
  ];
}
