import type { Expiry, RetentionPreview } from '../../retention/preview-retention.ts';
import type { Reason } from '../../retention/reason.ts';
import { formatAge, formatCounted, formatDuration, formatTime } from '../format.ts';
import { type Style, signs } from '../style.ts';
import { printable } from '../width.ts';
import { renderTable } from './table.ts';

/** One source at one repository on the day that was asked about. */
export interface PreviewedSource {
  readonly source: string;
  readonly repository: string;
  readonly preview: RetentionPreview;
  /** By a snapshot's id, for those that are there now. */
  readonly expiries: ReadonlyMap<string, Expiry>;
}

export interface RetentionView {
  readonly style: Style;
  readonly width: number;
  readonly now: number;
  readonly timeZone: string;
}

const COLUMNS = [
  { title: '' },
  { title: 'point' },
  { title: 'taken' },
  { title: '' },
  { title: 'goes, at the earliest' },
  { title: 'why', flexible: true },
] as const;

/** What will be kept of each source, and what will have gone; pieces of journal only as a count. */
export function renderRetention(sources: readonly PreviewedSource[], view: RetentionView): string[] {
  return sources.flatMap((source, index) => [...(index === 0 ? [] : ['']), ...renderSource(source, view)]);
}

export function retentionRecords(sources: readonly PreviewedSource[]): Record<string, unknown>[] {
  return sources.map(({ source, repository, preview, expiries }) => ({
    type: 'retention-preview',
    source,
    repository,
    at: new Date(preview.at).toISOString(),
    ...(preview.skipped === undefined ? {} : { skipped: preview.skipped.because }),
    kept: preview.kept.map(({ point, reasons, expected }) => ({
      snapshot: expected ? undefined : point.snapshot,
      kind: point.kind,
      time: new Date(point.time).toISOString(),
      expected,
      reasons,
      expires: isoExpiry(expiries.get(point.snapshot)),
    })),
    removed: preview.removed.map(({ point, because, at, expected }) => ({
      snapshot: expected ? undefined : point.snapshot,
      kind: point.kind,
      time: new Date(point.time).toISOString(),
      expected,
      because,
      at: new Date(at).toISOString(),
    })),
  }));
}

/** A reason in a person's words. */
export function describeReason(reason: Reason, timeZone: string): string {
  switch (reason.kind) {
    case 'age':
      return `younger than ${formatDuration(reason.for)}`;
    case 'period':
      if (reason.period === 'last') return 'one of the last';
      return `${reason.oldest ? 'oldest, ' : ''}${reason.period} ${reason.name}`;
    case 'newest':
      return reason.good ? 'newest good point' : 'the best there is: none is known to be good';
    case 'window base':
      return `base of the window that begins ${formatTime(reason.begins, timeZone)}`;
    case 'journal':
      return Number.isFinite(reason.since)
        ? `journal since ${formatTime(reason.since, timeZone)}`
        : 'journal';
    case 'evidence':
      return `evidence of ${shortName(reason.of)}`;
    case 'hold':
      return `legal hold: ${reason.reason}`;
    case 'future':
      return 'its time is in the future: a clock was wrong';
    case 'not judged':
      return 'not judged';
  }
}

function renderSource(
  { source, repository, preview, expiries }: PreviewedSource,
  view: RetentionView,
): string[] {
  const { style, timeZone, width, now } = view;
  const day = preview.at <= now ? 'now' : formatTime(preview.at, timeZone);
  const head = style.strong(printable(`${source} at ${repository} · ${day}`));
  if (preview.skipped !== undefined) {
    return [head, `${style.bad(signs.bad)} Nothing would be removed: ${printable(preview.skipped.because)}`];
  }
  const points = preview.kept.filter(({ point }) => point.kind !== 'slice');
  const slices = preview.kept.length - points.length;
  const rows = points
    .toReversed()
    .map(({ point, reasons, expected }) => [
      expected ? signs.unknown : signs.good,
      expected ? 'expected' : shortName(point.snapshot),
      formatTime(point.time, timeZone),
      formatAge(point.time, now),
      goes(expiries.get(point.snapshot), timeZone),
      printable(reasons.map((reason) => describeReason(reason, timeZone)).join(', ')),
    ]);
  const gone = preview.removed.filter(({ expected }) => !expected).length;
  const journal = slices === 0 ? '' : `, with ${formatCounted(slices, 'piece')} of journal`;
  return [
    head,
    ...renderTable(COLUMNS, rows, width),
    `${formatCounted(points.length, 'point')} kept${journal}; ${formatCounted(gone, 'point')} of today gone by then`,
  ];
}

function goes(expiry: Expiry | undefined, timeZone: string): string {
  return expiry?.withSchedule === undefined ? '–' : formatTime(expiry.withSchedule, timeZone);
}

/** A name that is no id stays as it is. */
function shortName(snapshot: string): string {
  return /^[0-9a-f]{64}$/.test(snapshot) ? snapshot.slice(0, 8) : printable(snapshot);
}

function isoExpiry(expiry: Expiry | undefined): Record<string, string> | undefined {
  if (expiry === undefined) return undefined;
  return Object.fromEntries(Object.entries(expiry).map(([name, at]) => [name, new Date(at).toISOString()]));
}
