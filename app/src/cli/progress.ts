import { formatBytes, formatCount, formatDuration, formatRate } from './format.ts';
import { printable, truncateEnd, truncateStart } from './width.ts';

/** What is known at a moment: plain numbers, so that the engine only counts. */
export interface ProgressSample {
  /** What is being done, as a word: `Reading`, `Restoring`. */
  readonly phase: string;
  /** Milliseconds since the epoch at which the phase began. */
  readonly startedAt: number;
  /** What is counted, in the singular; files unless said otherwise. */
  readonly noun?: string;
  readonly files: number;
  /** Absent until it is known. */
  readonly totalFiles?: number;
  readonly bytes: number;
  readonly totalBytes?: number;
  /** What could not be read or written so far. */
  readonly errors: number;
  /** Paths that are being worked on. */
  readonly items: readonly string[];
  /** What this kind of work has besides, for a `status` line alone. */
  readonly figures?: Readonly<Record<string, unknown>>;
}

/** Below this an estimate jumps about and tells nothing. */
const ESTIMATE_AFTER = 2000;
const ITEMS_SHOWN = 2;
const INDENT = '  ';

/** Two to four lines for a terminal of `width` cells; `now` in milliseconds since the epoch. */
export function renderProgress(sample: ProgressSample, width: number, now: number): string[] {
  const first = [
    sample.phase,
    percentage(sample),
    formatDuration(elapsed(sample, now)),
    estimate(sample, now),
  ];
  const second = [
    files(sample),
    bytes(sample),
    formatRate(sample.bytes, elapsed(sample, now)),
    errors(sample),
  ];
  // A line that fills the last cell makes some terminals wrap, and the erasing would then miss a line.
  const room = width - 1;
  return [
    truncateEnd(joined(first), room),
    truncateEnd(INDENT + joined(second), room),
    ...sample.items.slice(0, ITEMS_SHOWN).map((item) => itemLine(item, room)),
  ];
}

/** The same in one line, for logs. */
export function renderProgressLine(sample: ProgressSample, now: number): string {
  return joined([
    sample.phase,
    percentage(sample),
    files(sample),
    bytes(sample),
    formatRate(sample.bytes, elapsed(sample, now)),
    errors(sample),
    estimate(sample, now),
  ]);
}

/** The same for programs: the fields of a `status` line. Seconds and bytes, totals only where known. */
export function progressStatus(sample: ProgressSample, now: number): Record<string, unknown> {
  const left = remaining(sample, now);
  return {
    type: 'status',
    phase: sample.phase,
    secondsElapsed: Math.round(elapsed(sample, now) / 1000),
    ...(left === undefined ? {} : { secondsRemaining: Math.round(left / 1000) }),
    ...(sample.totalBytes === undefined ? {} : { fractionDone: fractionDone(sample) ?? 1 }),
    files: sample.files,
    ...(sample.totalFiles === undefined ? {} : { totalFiles: sample.totalFiles }),
    bytes: sample.bytes,
    ...(sample.totalBytes === undefined ? {} : { totalBytes: sample.totalBytes }),
    errors: sample.errors,
    items: sample.items,
    ...sample.figures,
  };
}

/** 0–1 by bytes; undefined while the total is unknown or nothing. A source may grow while it is read: at most 1. */
function fractionDone(sample: ProgressSample): number | undefined {
  if (sample.totalBytes === undefined || sample.totalBytes <= 0) return undefined;
  return Math.min(1, sample.bytes / sample.totalBytes);
}

function remaining(sample: ProgressSample, now: number): number | undefined {
  const fraction = fractionDone(sample);
  const spent = elapsed(sample, now);
  if (fraction === undefined || fraction <= 0 || fraction >= 1 || spent < ESTIMATE_AFTER) return undefined;
  return (spent / fraction) * (1 - fraction);
}

function elapsed(sample: ProgressSample, now: number): number {
  return Math.max(0, now - sample.startedAt);
}

function percentage(sample: ProgressSample): string {
  const fraction = fractionDone(sample);
  return fraction === undefined ? '' : `${Math.floor(fraction * 100)} %`;
}

function estimate(sample: ProgressSample, now: number): string {
  const left = remaining(sample, now);
  return left === undefined ? '' : `${formatDuration(Math.ceil(left / 1000) * 1000)} left`;
}

function files(sample: ProgressSample): string {
  const total = sample.totalFiles === undefined ? '' : ` of ${formatCount(sample.totalFiles)}`;
  const { noun = 'file' } = sample;
  return `${formatCount(sample.files)}${total} ${sample.files === 1 && total === '' ? noun : `${noun}s`}`;
}

function bytes(sample: ProgressSample): string {
  const total = sample.totalBytes === undefined ? '' : ` of ${formatBytes(sample.totalBytes)}`;
  return formatBytes(sample.bytes) + total;
}

function errors(sample: ProgressSample): string {
  return sample.errors === 0 ? '' : `${formatCount(sample.errors)} failed`;
}

function itemLine(item: string, room: number): string {
  return INDENT + truncateStart(printable(item), Math.max(0, room - INDENT.length));
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' · ');
}
