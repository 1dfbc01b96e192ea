import type { Point, RecoveryWindow } from '../catalog/records.ts';
import type { PostgresPoints } from '../cli/commands/postgres/points.ts';

/** The sources that have bases among these points: whose windows are to be looked at. */
export function journaledSources(points: readonly Point[]): string[] {
  return [...new Set(points.filter(({ kind }) => kind === 'base').map(({ source }) => source))];
}

/** Pure: stretches without a gap. Bases that a journal joins are one window; one without a journal is a moment. */
export function windowsOf({ bases }: PostgresPoints, repository: string, source: string): RecoveryWindow[] {
  const windows: RecoveryWindow[] = [];
  for (const { endedAt, until } of bases) {
    const from = Date.parse(endedAt);
    const to = until === undefined ? from : Date.parse(until.time);
    const last = windows.at(-1);
    if (last !== undefined && from <= last.to && last.to > last.from) {
      windows[windows.length - 1] = { ...last, to: Math.max(last.to, to) };
    } else {
      windows.push({ repository, source, from, to });
    }
  }
  return windows;
}
