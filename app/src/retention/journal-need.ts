import type { Point, RecoveryWindow } from '../catalog/records.ts';
import { endOf } from './good-point.ts';
import type { Kept } from './keep-rules.ts';

export interface JournalState {
  /** Points that can be restored alone, newest first. */
  readonly restorable: readonly Point[];
  /** The one of them that must survive. */
  readonly best: Point | undefined;
  readonly slices: readonly Point[];
  readonly windows: readonly RecoveryWindow[];
  /** Any moment from here on is to be restorable. */
  readonly begins: number;
  readonly isGood: (point: Point) => boolean;
}

/**
 * What any moment since `begins` needs: the newest good base that was finished by then, and every slice since the first
 * of all bases that count began (it is consistent only at its end; clocks differ, and a slice too many costs little);
 * and what the newest point goes on with, however old both have become. In a gap there is nothing to be restored, so that
 * a window which would begin in one begins with its next base.
 */
export function keptForJournal(state: JournalState): Kept[] {
  const { restorable, best, slices, begins } = state;
  const base = baseOf(state);
  const later = restorable.filter((point) => endOf(point) > begins);
  const bases = [base, best, ...later].filter((point) => point !== undefined);
  // Without a base nobody can say what a slice is good for.
  const since =
    bases.length === 0 ? Number.NEGATIVE_INFINITY : Math.min(begins, ...bases.map(({ time }) => time));
  const needed = slices.filter((slice) => endOf(slice) >= since);
  return [
    ...(base === undefined ? [] : [[base, { kind: 'window base', begins }] as const]),
    ...needed.map((slice): Kept => [slice, { kind: 'journal', since }]),
  ];
}

/** The base that `begins` is restored from: of its own window, if the catalog's times can tell. */
function baseOf({ restorable, windows, begins, isGood }: JournalState): Point | undefined {
  const window = windows.find(({ from, to }) => from <= begins && begins <= to);
  if (windows.length > 0 && window === undefined) return undefined;
  const before = restorable.filter((point) => endOf(point) <= begins);
  const ofWindow = before.filter((point) => window !== undefined && window.from <= endOf(point));
  return newestGood(ofWindow) ?? newestGood(before);

  function newestGood(points: readonly Point[]): Point | undefined {
    return points.find(isGood) ?? points[0];
  }
}
