import { shortId } from '@holdfast/engine';
import type { PostgresRestorePlan } from '../commands/postgres/restore.ts';
import { formatBytes, formatCount, formatCounted, formatDuration, formatMoment } from '../format.ts';
import { type Style, signs } from '../style.ts';
import { printable } from '../width.ts';
import type { Reader } from './points.ts';

export interface PlanReader extends Pick<Reader, 'now' | 'timeZone'> {
  readonly dryRun: boolean;
}

/** More would push the question off the screen; JSON has them all. */
const SHOWN = 20;

export function renderPostgresPlan(plan: PostgresRestorePlan, style: Style, reader: PlanReader): string[] {
  const rows = [
    ['from', `${baseText(plan, reader)}${walText(plan)}`],
    ['', `system ${plan.systemId}, timeline ${plan.timeline}`],
    ['into', intoText(plan)],
    ['', `WAL in ${printable(plan.wal.directory)}, which nothing needs after the recovery`],
    ...plan.tablespaces.map(({ oid, directory }) => ['', `tablespace ${oid} in ${printable(directory)}`]),
    ['lost', lostText(plan, reader)],
    ['takes', `about ${formatDuration(plan.expectedMilliseconds)}, by rates that are assumed`],
  ];
  return [
    `Restore PostgreSQL ${printable(plan.serverVersion)} of ${printable(plan.server)} ${momentText(plan)}`,
    ...rows.map(([title = '', text = '']) => `  ${title.padEnd(6)} ${text}`),
    ...plan.notes.map((note) => `  ${style.warning(signs.warning)} ${printable(note)}`),
    ...deletionLines(plan, style),
    ...(reader.dryRun && plan.existing === 'cluster'
      ? [`  To agree to exactly this: --consent ${plan.token}`]
      : []),
  ];
}

export function postgresPlanRecord(plan: PostgresRestorePlan): Record<string, unknown> {
  return { type: 'plan', ...plan };
}

function momentText({ asked, inclusive, action }: PostgresRestorePlan): string {
  const then = action === 'pause' ? ', then pause' : '';
  if (asked === 'latest') return `to the last moment that is known${then}`;
  if (asked === 'immediate') return `as of its base${then}`;
  return `${inclusive ? 'as of' : 'to just before'} ${printable(asked)}${then}`;
}

function baseText({ base }: PostgresRestorePlan, { timeZone }: PlanReader): string {
  const ended = formatMoment(Temporal.Instant.from(base.endedAt).epochMilliseconds, timeZone);
  return `base ${shortId(base.snapshot)} of ${ended}, ${formatBytes(base.bytes)}`;
}

function walText({ wal }: PostgresRestorePlan): string {
  if (wal.segments === 0) return ', no WAL';
  const from = formatCounted(wal.slices, 'slice');
  return ` + ${formatBytes(wal.bytes)} of WAL (${formatCounted(wal.segments, 'segment')} from ${from})`;
}

function intoText({ target, existing, owner }: PostgresRestorePlan): string {
  const what = {
    new: 'nothing is overwritten',
    unfinished: 'goes on where a restore was cut off',
    cluster: 'a data directory, WRITTEN OVER',
  }[existing];
  const of = owner === undefined ? '' : `, owner ${owner}`;
  return `${printable(target)}: ${what}${of}`;
}

function lostText({ after }: PostgresRestorePlan, { timeZone }: PlanReader): string {
  if (after === undefined) return 'nothing that the repository has';
  const until = formatMoment(Temporal.Instant.from(after.until.time).epochMilliseconds, timeZone);
  return `what came after: ${formatBytes(after.bytes)} of WAL, up to ${after.until.lsn} at ${until}`;
}

function deletionLines({ deletions }: PostgresRestorePlan, style: Style): string[] {
  if (deletions.length === 0) return [];
  const hidden = deletions.length - SHOWN;
  const amount = formatCounted(deletions.length, 'entry', 'entries');
  return [
    `${style.warning(signs.warning)} Deletes ${amount} that the base does not have`,
    ...deletions.slice(0, SHOWN).map((path) => `  ${printable(path)}`),
    ...(hidden > 0 ? [style.quiet(`  and ${formatCount(hidden)} more (all of them with --json)`)] : []),
  ];
}
