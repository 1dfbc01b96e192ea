import { createHash } from 'node:crypto';
import type { PostgresRestorePlan, PostgresRestoreRequest } from '../../cli/commands/postgres/restore.ts';
import type { BasePlaces } from '../../sources/postgres/restore/base-places.ts';
import type { Owner } from '../../sources/postgres/restore/ownership.ts';
import { type MomentPlan, targetText } from '../../sources/postgres/restore/plan-moment.ts';
import { walDirectoryOf } from '../../sources/postgres/restore/restore-moment.ts';
import { formatLsn } from '../../sources/postgres/wal/lsn.ts';

export interface Decided {
  readonly target: string;
  readonly moment: MomentPlan;
  readonly places: BasePlaces;
  readonly owner: Owner | undefined;
  readonly deletions: readonly string[];
  /** Besides those of the moment. */
  readonly notes: readonly string[];
}

/** The plan as it is shown. */
export function describeRestore(
  { action, start }: PostgresRestoreRequest,
  { target, moment, places, owner, deletions, notes }: Decided,
): PostgresRestorePlan {
  const { base, wal, after } = moment;
  const { record, snapshot } = base;
  const baseBytes = snapshot.summary?.totalBytesProcessed ?? 0;
  const walBytes = wal.reduce((sum, { node }) => sum + node.size, 0);
  const { state } = places;
  return {
    target,
    asked: targetText(moment.asked),
    to: targetText(moment.target),
    inclusive: moment.inclusive,
    action,
    start: start === true,
    systemId: moment.systemId,
    server: record.server,
    serverVersion: record.settings['server_version'] ?? String(record.major),
    timeline: moment.timeline,
    base: { snapshot: snapshot.id, endedAt: record.endedAt, endLsn: record.end.lsn, bytes: baseBytes },
    wal: {
      segments: wal.length,
      slices: new Set(wal.map(({ slice }) => slice.id)).size,
      bytes: walBytes,
      directory: walDirectoryOf(target),
    },
    ...(after === undefined
      ? {}
      : {
          after: {
            bytes: Number(after.bytes),
            until: { lsn: formatLsn(after.until.lsn), time: new Date(after.until.time).toISOString() },
          },
        }),
    expectedMilliseconds:
      ((baseBytes + walBytes) / FETCHED_PER_SECOND + (start === true ? walBytes / REPLAYED_PER_SECOND : 0)) *
        1000 +
      BEGINNING,
    tablespaces: places.places.flatMap(({ oid, directory }) => (oid === undefined ? [] : { oid, directory })),
    ...(owner === undefined ? {} : { owner: `${owner.uid}:${owner.gid}` }),
    existing: state.kind === 'strange' ? 'cluster' : state.kind,
    deletions,
    notes: [...moment.notes, ...placeNotes(places), ...notes],
    token: tokenOf(moment, target, deletions),
  };
}

function placeNotes({ state }: BasePlaces): string[] {
  if (state.kind !== 'cluster' || state.walLink === undefined) return [];
  return [`pg_wal is a link to ${state.walLink}: a directory takes its place, and what is there stays there`];
}

/** Changes with the moment, the target and every entry that would go. */
function tokenOf({ base, target, timeline }: MomentPlan, directory: string, deletions: readonly string[]) {
  const hash = createHash('sha256').update(
    `${base.snapshot.id}\0${targetText(target)}\0${timeline}\0${directory}`,
  );
  for (const name of deletions) hash.update(`\0${name}`);
  return hash.digest('hex').slice(0, TOKEN_DIGITS);
}

const TOKEN_DIGITS = 12;
/** Bytes; what two cores and a local disk do at least. */
const FETCHED_PER_SECOND = 150e6;
const REPLAYED_PER_SECOND = 100e6;
/** Milliseconds. */
const BEGINNING = 500;
