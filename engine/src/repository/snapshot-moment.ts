import type { StoredSnapshot } from '../format/types.ts';
import { Failure } from '../kernel/failure.ts';

/** When a snapshot was taken: the instant, and what the clock on its wall showed. */
export interface SnapshotMoment {
  /** Since the epoch. */
  readonly nanoseconds: bigint;
  /** The wall clock of the snapshot's own offset, as in `2026-11-21T10:52:00.123456789`. */
  readonly wall: string;
  /** The wall clock in milliseconds since the epoch, read as if it were UTC. */
  readonly wallMilliseconds: number;
}

const MOMENT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?)(Z|[+-]\d\d:\d\d)$/;

/** Fails with `repository.damaged` when the snapshot's time is no RFC 3339 time. */
export function momentOf(snapshot: StoredSnapshot): SnapshotMoment {
  const wall = MOMENT.exec(snapshot.time)?.[1];
  try {
    if (wall === undefined) throw new RangeError('not in the notation of RFC 3339');
    return {
      nanoseconds: Temporal.Instant.from(snapshot.time).epochNanoseconds,
      wall,
      wallMilliseconds: Temporal.Instant.from(`${wall}Z`).epochMilliseconds,
    };
  } catch (cause) {
    throw new Failure(
      'repository.damaged',
      `Snapshot ${snapshot.id} was taken at "${snapshot.time}", which is no time.`,
      {
        subject: `snapshot ${snapshot.id}`,
        cause,
      },
    );
  }
}
