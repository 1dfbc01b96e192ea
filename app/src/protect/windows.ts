import type { Point, RecoveryWindow } from '../catalog/records.ts';
import type { PostgresPoints } from '../cli/commands/postgres/points.ts';

/** The sources that have bases among these points: whose windows are to be looked at. */
export function journaledSources(points: readonly Point[]): string[] {
  return [...new Set(points.filter(({ kind }) => kind === 'base').map(({ source }) => source))];
}

/**
 * Pure: stretches without a gap. Bases that a journal joins are one window: it leads from each of them to the same
 * position. They are not told by time: nothing moves while a server rests, and the last moment that its journal knows
 * lies before the end of a base that was taken since. A base without a journal behind it is a moment.
 */
export function windowsOf({ bases }: PostgresPoints, repository: string, source: string): RecoveryWindow[] {
  const windows = new Map<string, RecoveryWindow>();
  for (const { snapshot, systemId, endedAt, until } of bases) {
    const at = Date.parse(endedAt);
    const name = until === undefined ? snapshot : `${systemId} ${until.lsn}`;
    const { from, to } = windows.get(name) ?? { from: at, to: at };
    const reached = until === undefined ? at : Date.parse(until.time);
    windows.set(name, { repository, source, from: Math.min(from, at), to: Math.max(to, at, reached) });
  }
  return [...windows.values()].toSorted((a, b) => a.from - b.from);
}
