import type { BasePoint, ListBases } from '../../cli/commands/postgres/points.ts';
import { readBaseRecord } from '../../sources/postgres/base-record.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { chooseSnapshots } from '../snapshot-choice.ts';
import { BASE_TAGS } from './backup.ts';

export function listBases(machine: AccessMachine): ListBases {
  return async (access, request, work) => {
    await using opened = await openAccess(access, { intent: 'read', signal: work.signal }, machine);
    const { repository, signal } = opened;
    const chosen = await chooseSnapshots(repository, [], request, signal);
    const bases = chosen.filter(({ tags }) => BASE_TAGS.every((tag) => tags.includes(tag)));
    const indexed = await repository.loadIndex(signal);
    const points: BasePoint[] = [];
    for (const snapshot of bases) {
      const record = await readBaseRecord(indexed, snapshot, signal);
      points.push({
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
      });
    }
    return points;
  };
}
