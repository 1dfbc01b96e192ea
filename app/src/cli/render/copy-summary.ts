import { type CopyReport, type StoredSnapshot, shortId } from '@holdfast/engine';
import {
  formatBytes,
  formatCount,
  formatCounted,
  formatDuration,
  formatRate,
  formatTime,
} from '../format.ts';
import { type Style, signs } from '../style.ts';
import { printable } from '../width.ts';
import { renderFinding } from './check-findings.ts';
import { momentOf } from './points.ts';

export interface CopyResult extends CopyReport {
  readonly dryRun: boolean;
  readonly milliseconds: number;
}

/** More would push the summary off the screen; JSON has them all. */
const SHOWN = 20;

/** `timeZone` is that of the person who reads. */
export function renderCopy(result: CopyResult, timeZone: string, style: Style, width: number): string[] {
  const { copied, findings } = result;
  const hidden = copied.length - SHOWN;
  return [
    ...findings.flatMap((finding) => renderFinding(finding, style, width)),
    ...(hidden > 0 ? [style.quiet(`  ${formatCount(hidden)} more, then`)] : []),
    ...copied.slice(-SHOWN).map((copy) => `  ${pairOf(copy)}  ${told(copy.from, timeZone)}`),
    ...conclusion(result, style),
  ];
}

export function copyRecords(result: CopyResult): Record<string, unknown>[] {
  const { copied, present, damaged, findings, ...figures } = result;
  return [
    ...copied.map(({ from, to }) => ({ type: 'copied', from: from.id, to, ...named(from) })),
    ...present.map(({ from, to }) => ({ type: 'present', from: from.id, to, ...named(from) })),
    ...findings.map((finding) => ({ type: 'finding', ...finding })),
    {
      type: 'summary',
      copied: copied.length,
      present: present.length,
      damaged: damaged.map(({ id }) => id),
      ...figures,
    },
  ];
}

function named({ time, hostname, paths, tags }: StoredSnapshot) {
  return { time, hostname, paths, tags };
}

function pairOf({ from, to }: CopyReport['copied'][number]): string {
  return to === undefined ? shortId(from.id) : `${shortId(from.id)} → ${shortId(to)}`;
}

function told(snapshot: StoredSnapshot, timeZone: string): string {
  const { hostname, paths } = snapshot;
  return `${formatTime(momentOf(snapshot), timeZone)}  ${printable(`${hostname}  ${paths.join(', ')}`)}`;
}

function conclusion(result: CopyResult, style: Style): string[] {
  const { copied, present, damaged, blobs, bytes, verified, milliseconds, dryRun } = result;
  const sign = damaged.length > 0 ? style.bad(signs.bad) : style.good(signs.good);
  const amount = `${formatCounted(copied.length, 'snapshot')}: ${formatBytes(bytes)} in ${formatCounted(blobs, 'piece')}`;
  const took = dryRun ? '' : `, ${formatDuration(milliseconds)} (${formatRate(bytes, milliseconds)})`;
  return [
    `${sign} ${dryRun ? 'Would copy' : 'Copied'} ${amount}${took}`,
    ...(present.length === 0 ? [] : [`  there before: ${formatCounted(present.length, 'snapshot')}`]),
    ...(damaged.length === 0 ? [] : [`  left out: ${formatCounted(damaged.length, 'snapshot')}`]),
    ...(verified.packs === 0
      ? []
      : [`  read back: ${formatBytes(verified.bytes)} in ${formatCounted(verified.packs, 'pack')}`]),
  ];
}
