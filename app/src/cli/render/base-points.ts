import { shortId } from '@holdfast/engine';
import type { BasePoint, GapPoint, PostgresPoints } from '../commands/postgres/points.ts';
import { formatAge, formatBytes, formatCounted, formatTime } from '../format.ts';
import { printable } from '../width.ts';
import type { Reader } from './points.ts';
import { renderTable } from './table.ts';

const COLUMNS = [
  { title: 'base' },
  { title: 'as of' },
  { title: '' },
  { title: 'any moment until' },
  { title: 'size', align: 'right' },
  { title: 'version' },
  { title: 'position' },
  { title: 'server', flexible: true },
] as const;

/** Oldest first, so that the newest stands where the eye is. */
export function renderBasePoints({ bases, gaps }: PostgresPoints, reader: Reader): string[] {
  const newest = bases.at(-1);
  if (newest === undefined) return ['No base backups yet. Next: holdfast postgres backup --url URL'];
  const rows = bases.map((point) => {
    const moment = Temporal.Instant.from(point.endedAt).epochMilliseconds;
    return [
      shortId(point.snapshot),
      formatTime(moment, reader.timeZone),
      formatAge(moment, reader.now),
      point.until === undefined ? '–' : timeOf(point.until.time, reader),
      formatBytes(point.size),
      printable(point.serverVersion),
      `${point.timeline}:${point.endLsn}`,
      printable(point.server),
    ];
  });
  const next = `Next: holdfast postgres restore --target DIR --to latest`;
  return [
    ...renderTable(COLUMNS, rows, reader.width),
    ...gaps.map((gap) => renderGap(gap, reader)),
    '',
    `${formatCounted(bases.length, 'base')}   ${next}`,
  ];
}

export function pointRecords({ bases, gaps }: PostgresPoints): Record<string, unknown>[] {
  return [
    ...bases.map((base: BasePoint) => ({ type: 'base', ...base })),
    ...gaps.map((gap) => ({ type: 'gap', ...gap })),
  ];
}

function renderGap({ systemId, from, to }: GapPoint, reader: Reader): string {
  const span = `${timeOf(from.time, reader)} – ${timeOf(to.time, reader)}`;
  return `╳ gap ${span} (${from.lsn}–${to.lsn} of ${systemId}): nothing restorable until the next base`;
}

function timeOf(time: string, { timeZone }: Reader): string {
  return formatTime(Temporal.Instant.from(time).epochMilliseconds, timeZone);
}
