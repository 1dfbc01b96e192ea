import type { Point, RecoveryWindow } from '../catalog/records.ts';
import { endOf } from './good-point.ts';
import type { Kept } from './keep-rules.ts';

export interface JournalFacts {
  /** Points that can be restored alone, newest first, and those of them that rules keep. */
  readonly restorable: readonly Point[];
  readonly kept: readonly Point[];
  /** The one of them that must survive. */
  readonly best: Point | undefined;
  readonly slices: readonly Point[];
  readonly windows: readonly RecoveryWindow[];
  /** Any moment from here on is to be restorable; absent: from the oldest kept point on. */
  readonly begins: number | undefined;
  readonly isGood: (point: Point) => boolean;
}

/**
 * What any moment since `begins` needs: the newest good base that was finished by then, and every slice since the first
 * of all bases that count began (it is consistent only at its end; clocks differ, and a slice too many costs little);
 * and what the newest point goes on with, however old both have become. In a gap there is nothing to be restored, so that
 * a window which would begin in one begins with its next base. A base that no slice follows is a point like any other.
 */
export function keptForJournal(state: JournalFacts): Kept[] {
  const { kept, best, slices, begins } = state;
  const base = begins === undefined ? [] : baseOf(state, begins);
  const later = kept.filter((point) => begins === undefined || endOf(point) > begins);
  const bases = [...base, ...later, ...(best === undefined ? [] : [best])];
  // Without a base nobody can say what a slice is good for.
  const since = bases.length === 0 ? Number.NEGATIVE_INFINITY : Math.min(...bases.map(({ time }) => time));
  const earliest = Math.min(since, begins ?? since);
  const needed = slices.filter((slice) => endOf(slice) >= earliest);
  return [
    ...base.map((point): Kept => [point, { kind: 'window base', begins: begins ?? point.time }]),
    ...needed.map((slice): Kept => [slice, { kind: 'journal', since: earliest }]),
  ];
}

/** The base that `begins` is restored from, of its own window if the catalog's times can tell; or none. */
function baseOf({ restorable, slices, windows, isGood }: JournalFacts, begins: number): Point[] {
  const window = windows.find(({ from, to }) => from <= begins && begins <= to);
  if (windows.length > 0 && window === undefined) return [];
  const before = restorable.filter((point) => endOf(point) <= begins);
  const ofWindow = before.filter((point) => window !== undefined && window.from <= endOf(point));
  const base = newestGood(ofWindow) ?? newestGood(before);
  return base !== undefined && slices.some((slice) => endOf(slice) >= base.time) ? [base] : [];

  function newestGood(points: readonly Point[]): Point | undefined {
    return points.find(isGood) ?? points[0];
  }
}
