import type { StoredSnapshot } from '@holdfast/engine';
import type {
  BasePoint,
  GapPoint,
  JournalMoment,
  ListBases,
  PostgresPoints,
} from '../../cli/commands/postgres/points.ts';
import { type RepositoryView, viewRepository } from '../../journal/repository-view.ts';
import type { BaseRecord } from '../../sources/postgres/base/base-record.ts';
import { readBases, type StoredBase } from '../../sources/postgres/base/stored-bases.ts';
import { readWindows } from '../../sources/postgres/journal/read-windows.ts';
import type { Moment } from '../../sources/postgres/journal/recovery-windows.ts';
import { walPlace } from '../../sources/postgres/journal/wal-slices.ts';
import { parseBytes } from '../../sources/postgres/server/server-facts.ts';
import { formatLsn, parseLsn } from '../../sources/postgres/wal/lsn.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { passing } from '../snapshot-choice.ts';

export function listBases(machine: AccessMachine): ListBases {
  return async (access, request, work) => {
    await using opened = await openAccess(access, { intent: 'read', ...work }, machine);
    const { repository, signal } = opened;
    const view = await viewRepository(repository, signal);
    const found = await readBases(view.indexed, passing(view.snapshots, request), signal);
    const bases: BasePoint[] = [];
    const gaps: GapPoint[] = [];
    for (const ofOneServer of Map.groupBy(found, ({ record }) => record.systemId).values()) {
      const points = await pointsOf(view, ofOneServer, signal);
      bases.push(...points.bases);
      gaps.push(...points.gaps);
    }
    bases.sort((a, b) => Date.parse(a.endedAt) - Date.parse(b.endedAt));
    return { bases, gaps };
  };
}

async function pointsOf(
  view: RepositoryView,
  found: readonly StoredBase[],
  signal: AbortSignal,
): Promise<PostgresPoints> {
  const [first] = found;
  if (first === undefined) return { bases: [], gaps: [] };
  const { systemId, settings } = first.record;
  const facts = found.map(({ snapshot, record }) => ({
    id: snapshot.id,
    end: parseLsn(record.end.lsn),
    timeline: record.end.timeline,
    endedAt: Date.parse(record.endedAt),
  }));
  const segmentSize = parseBytes(settings['wal_segment_size'] ?? USUAL_SEGMENT_SIZE);
  const { windows, gaps } = await readWindows(view, walPlace(systemId), segmentSize, facts, signal);
  const bases = found.map(({ snapshot, record }) => {
    const window = windows.find(({ bases }) => bases.includes(snapshot.id));
    const until = window === undefined || window.to.lsn === window.from.lsn ? undefined : window.to;
    return { ...pointOf(snapshot, record), ...(until === undefined ? {} : { until: told(until) }) };
  });
  return { bases, gaps: gaps.map(({ from, to }) => ({ systemId, from: told(from), to: told(to) })) };
}

function pointOf(snapshot: StoredSnapshot, record: BaseRecord): BasePoint {
  return {
    snapshot: snapshot.id,
    host: snapshot.hostname,
    server: record.server,
    serverVersion: record.settings['server_version'] ?? String(record.major),
    systemId: record.systemId,
    timeline: record.end.timeline,
    startLsn: record.start.lsn,
    endLsn: record.end.lsn,
    endedAt: record.endedAt,
    size: snapshot.summary?.totalBytesProcessed ?? 0,
  };
}

function told({ lsn, time }: Moment): JournalMoment {
  return { lsn: formatLsn(lsn), time: new Date(time).toISOString() };
}

/** Where a role may not read the setting: what initdb chooses unless told otherwise. */
const USUAL_SEGMENT_SIZE = '16MB';
