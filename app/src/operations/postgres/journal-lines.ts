import type { Failure, Finding } from '@holdfast/engine';
import { formatCounted, formatDuration } from '../../cli/format.ts';
import { findingLine } from '../../cli/render/journal.ts';
import { printable } from '../../cli/width.ts';
import type { BaseEvent } from '../../sources/postgres/journal/base-after-gap.ts';
import type { JournalEvent } from '../../sources/postgres/journal/journal-event.ts';
import type { ShipperEvent } from '../../sources/postgres/journal/wal-shipper.ts';
import { formatLsn } from '../../sources/postgres/wal/lsn.ts';

/** What happened, for people and for programs. */
export interface Told {
  readonly line: string;
  readonly records: readonly Readonly<Record<string, unknown>>[];
}

/** Pure: how an event is told; undefined for what happens all the time. `now` in milliseconds since the epoch. */
export function tell(event: JournalEvent | ShipperEvent | BaseEvent, now: number): Told | undefined {
  const record = (fields: Record<string, unknown>) => ({
    type: 'event',
    event: event.kind,
    time: now,
    ...fields,
  });
  switch (event.kind) {
    case 'streaming': {
      const { timeline } = event;
      const [host, from] = [`${event.host.name}:${event.host.port}`, formatLsn(event.from)];
      return {
        line: `Streaming from ${host}, timeline ${timeline}, from ${from} on`,
        records: [record({ host, timeline, from })],
      };
    }
    case 'timeline': {
      const [{ from, to }, at] = [event, formatLsn(event.at)];
      return {
        line: `The server went from timeline ${from} to ${to} at ${at}: followed`,
        records: [record({ from, to, at })],
      };
    }
    case 'interrupted':
      return failed('The stream broke off', event, record);
    case 'gap': {
      const fields = { from: formatLsn(event.from), to: formatLsn(event.to) };
      return {
        line: findingLine(event.finding),
        records: [record(fields), findingRecord(event.finding)],
      };
    }
    case 'finding':
      return { line: findingLine(event.finding), records: [findingRecord(event.finding)] };
    case 'shipped': {
      const { snapshot, files, took } = event;
      const what = `${formatCounted(files, 'file')} in ${formatDuration(took)}`;
      return {
        line: `Slice ${snapshot.id.slice(0, 8)} in the repository: ${what}`,
        records: [record({ snapshot: snapshot.id, files, milliseconds: took })],
      };
    }
    case 'rolled-up': {
      const { saved, forgotten } = event;
      return {
        line: `Rolled up ${formatCounted(forgotten, 'slice')} into ${saved}`,
        records: [record({ saved, forgotten })],
      };
    }
    case 'not-shipped':
      return failed('Not in the repository yet, the spool keeps it', event, record);
    case 'base-taken': {
      const { snapshot, took } = event;
      return {
        line: `Base ${snapshot.id.slice(0, 8)} taken in ${formatDuration(took)}: from its end on any moment can be restored`,
        records: [record({ snapshot: snapshot.id, milliseconds: took })],
      };
    }
    case 'base-failed':
      return failed('No base could be taken, the stream goes on', event, record);
    default:
      return undefined;
  }
}

function failed(
  what: string,
  { failure, retryIn }: { readonly failure: Failure; readonly retryIn: number },
  record: (fields: Record<string, unknown>) => Record<string, unknown>,
): Told {
  const { code, message, subject, hint } = failure;
  const why = printable(message) + (hint === undefined ? '' : ` (${printable(hint)})`);
  return {
    line: `▲ ${what}: ${why}; next try in ${formatDuration(retryIn)}`,
    records: [record({ code, message, subject, hint, retryInMilliseconds: Math.round(retryIn) })],
  };
}

function findingRecord({ severity, code, subject, message, hint }: Finding): Record<string, unknown> {
  return { type: 'finding', severity, code, subject, message, hint };
}
