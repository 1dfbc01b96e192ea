import { type StoredSnapshot, shortId } from '@holdfast/engine';
import { formatAge, formatTime } from '../format.ts';
import { printable } from '../width.ts';
import { momentOf, type Reader } from './points.ts';
import { renderTable } from './table.ts';

export interface UndoPlan {
  readonly snapshots: readonly StoredSnapshot[];
}

const COLUMNS = [
  { title: 'point' },
  { title: 'taken' },
  { title: '' },
  { title: 'host' },
  { title: 'paths', flexible: true },
] as const;

/** What comes back, oldest first. */
export function renderUndoPlan({ snapshots }: UndoPlan, { now, timeZone, width }: Reader): string[] {
  const rows = snapshots
    .toSorted((a, b) => momentOf(a) - momentOf(b))
    .map((snapshot) => {
      const taken = momentOf(snapshot);
      const paths = printable(snapshot.paths.join(', '));
      const age = formatAge(taken, now);
      return [shortId(snapshot.id), formatTime(taken, timeZone), age, printable(snapshot.hostname), paths];
    });
  return renderTable(COLUMNS, rows, width);
}

export function undoPlanRecord({ snapshots }: UndoPlan): Record<string, unknown> {
  return { type: 'plan', bringBack: snapshots.map(({ id, time }) => ({ id, time })) };
}
