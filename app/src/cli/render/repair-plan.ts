import type { BlobRepairPlan, IndexRepairPlan, RepairPlan } from '@holdfast/engine';
import { formatCount, formatCounted, formatDuration } from '../format.ts';
import { type Style, signs } from '../style.ts';
import { printable } from '../width.ts';
import { renderFinding } from './check-findings.ts';

export interface RepairOutcome {
  /** Pieces that were saved anew. */
  readonly saved: number;
  /** Pieces that a source was thought to have and did not give whole. */
  readonly refused: number;
  readonly milliseconds: number;
}

/** What is affected may be as much as the whole repository; JSON has more of it. */
const AFFECTED_SHOWN = 10;

export function renderRepairPlan(plan: RepairPlan, style: Style, width: number): string[] {
  const { index, blobs, idle } = plan;
  const findings = findingsOf(plan).flatMap((finding) => renderFinding(finding, style, width));
  const steps = [...indexLines(index), ...(blobs === undefined ? [] : blobLines(blobs))];
  const nothing = idle && errorsOf(plan) === 0 ? ['  nothing to repair'] : [];
  return [...findings, ...nothing, ...steps, ...(blobs === undefined ? [] : lostLines(blobs, style))];
}

/** The plan after its findings. Packs are told one by one, since whoever repairs wants to know which they were. */
export function repairPlanRecords(plan: RepairPlan): Record<string, unknown>[] {
  const { index, blobs, idle } = plan;
  const { unreadable, added, corrected, gone, headersRead } = index;
  return [
    ...findingsOf(plan).map((finding) => ({ type: 'finding', ...finding })),
    {
      type: 'plan',
      idle,
      index: { unreadable, added: idsOf(added), corrected: idsOf(corrected), gone: idsOf(gone), headersRead },
      ...(blobs === undefined ? {} : { blobs: { ...blobs, findings: undefined } }),
    },
  ];
}

export function renderRepairOutcome(outcome: RepairOutcome, style: Style): string[] {
  const saved = outcome.saved === 0 ? '' : `, ${formatCounted(outcome.saved, 'piece')} saved anew`;
  return [
    `${style.good(signs.good)} Repaired in ${formatDuration(outcome.milliseconds)}${saved}`,
    '  Next: holdfast repo check --read-data   reads every byte',
  ];
}

/** What stays wrong when the plan is executed. */
export function errorsOf(plan: RepairPlan): number {
  const errors = findingsOf(plan).filter(({ severity }) => severity === 'error').length;
  return errors + (plan.blobs?.lost.length ?? 0);
}

function findingsOf({ index, blobs }: RepairPlan) {
  return [...index.findings, ...(blobs?.findings ?? [])];
}

function indexLines({ unreadable, added, corrected, gone }: IndexRepairPlan): string[] {
  return lines('index', [
    [unreadable.length, `${formatCounted(unreadable.length, 'file')} that cannot be read: replaced`],
    [added.length, `${formatCounted(added.length, 'pack')} that no file names: added`],
    [
      corrected.length,
      `${formatCounted(corrected.length, 'pack')} of which it says something wrong: corrected`,
    ],
    [gone.length, `${formatCounted(gone.length, 'pack')} that are not there: taken out`],
  ]);
}

function blobLines({ damagedPacks, found }: BlobRepairPlan): string[] {
  const [intact, damaged] = [sum(damagedPacks, 'intact'), sum(damagedPacks, 'damaged')];
  return [
    ...lines('packs', [
      [
        damagedPacks.length,
        `${formatCounted(damagedPacks.length, 'damaged pack')}: ${formatCounted(intact, 'intact piece')} written anew, ` +
          `${formatCount(damaged)} cannot be read, then the pack is removed`,
      ],
    ]),
    ...lines(
      'fetch',
      found.map(({ source, blobs }) => [
        blobs,
        `${formatCounted(blobs, 'lost piece')} from ${printable(source)}`,
      ]),
    ),
  ];
}

function lostLines({ lost, affected }: BlobRepairPlan, style: Style): string[] {
  if (lost.length === 0) return [];
  const shown = affected.paths.slice(0, AFFECTED_SHOWN);
  const hidden = affected.total - shown.length;
  return [
    `${style.bad(signs.bad)} Lost and found nowhere: ${formatCounted(lost.length, 'piece')} that points need, for:`,
    ...shown.map((path) => `    ${printable(path)}`),
    ...(hidden === 0 ? [] : [style.quiet(`    and ${formatCount(hidden)} more`)]),
  ];
}

/** Those with a count above 0, the first with the word in front. */
function lines(word: string, items: readonly (readonly [count: number, text: string])[]): string[] {
  const told = items.filter(([count]) => count > 0).map(([, text]) => text);
  return told.map((text, at) => `  ${(at === 0 ? word : '').padEnd(8)} ${text}`);
}

function sum(packs: BlobRepairPlan['damagedPacks'], what: 'intact' | 'damaged'): number {
  return packs.reduce((total, pack) => total + pack[what], 0);
}

function idsOf(packs: IndexRepairPlan['added']): string[] {
  return packs.map(({ id }) => id);
}
