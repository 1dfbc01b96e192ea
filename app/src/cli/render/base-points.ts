import { shortId } from '@holdfast/engine';
import type { BasePoint } from '../commands/postgres/points.ts';
import { formatAge, formatBytes, formatCounted, formatTime } from '../format.ts';
import { printable } from '../width.ts';
import type { Reader } from './points.ts';
import { renderTable } from './table.ts';

const COLUMNS = [
  { title: 'base' },
  { title: 'as of' },
  { title: '' },
  { title: 'size', align: 'right' },
  { title: 'version' },
  { title: 'position' },
  { title: 'server', flexible: true },
] as const;

/** Oldest first, so that the newest stands where the eye is. */
export function renderBasePoints(points: readonly BasePoint[], reader: Reader): string[] {
  const newest = points.at(-1);
  if (newest === undefined) return ['No base backups yet. Next: holdfast postgres backup --url URL'];
  const rows = points.map((point) => {
    const moment = Temporal.Instant.from(point.endedAt).epochMilliseconds;
    return [
      shortId(point.snapshot),
      formatTime(moment, reader.timeZone),
      formatAge(moment, reader.now),
      formatBytes(point.size),
      printable(point.serverVersion),
      `${point.timeline}:${point.endLsn}`,
      printable(point.server),
    ];
  });
  const next = `Next: holdfast postgres restore ${shortId(newest.snapshot)} --target DIR`;
  return [
    ...renderTable(COLUMNS, rows, reader.width),
    '',
    `${formatCounted(points.length, 'base')}   ${next}`,
  ];
}

export function basePointRecord(point: BasePoint): Record<string, unknown> {
  return { type: 'base', ...point };
}
