import { type Finding, type Id, shortId } from '@holdfast/engine';
import { formatBytes, formatCount, formatCounted, formatDuration } from '../format.ts';
import { type Style, signs } from '../style.ts';
import { printable } from '../width.ts';
import { renderFinding } from './check-findings.ts';

/** What a repair of points would do, with paths as text. */
export interface SnapshotRepairView {
  readonly salvaged: readonly SalvagedPoint[];
  /** Points of which not even the root can be read. */
  readonly hopeless: readonly Id[];
  /** Points that lost nothing. */
  readonly whole: number;
  /** Points whose own file cannot be read. */
  readonly findings: readonly Finding[];
  readonly forget: boolean;
}

export interface SalvagedPoint {
  readonly point: Id;
  readonly lost: readonly LostPath[];
}

export interface LostPath {
  readonly path: string;
  readonly kind: 'file' | 'directory';
  /** Bytes; absent for a directory, of which nobody knows what was in it. */
  readonly size?: number;
}

export interface SnapshotRepairOutcome {
  readonly repaired: readonly { readonly from: Id; readonly to: Id }[];
  readonly forgotten: number;
  readonly milliseconds: number;
}

/** More would push the result off the screen; JSON has them all. */
const SHOWN = 20;

export function renderSnapshotRepairPlan(view: SnapshotRepairView, style: Style, width: number): string[] {
  const { salvaged, hopeless, whole, findings } = view;
  return [
    ...findings.flatMap((finding) => renderFinding(finding, style, width)),
    ...hopeless.map(
      (id) => `${style.bad(signs.bad)} point ${shortId(id)}: its root cannot be read; it stays as it is`,
    ),
    ...salvaged.flatMap((point) => renderSalvaged(point, style)),
    `  ${formatCounted(whole, 'point')} lost nothing`,
  ];
}

export function snapshotRepairRecords(view: SnapshotRepairView): Record<string, unknown>[] {
  const { salvaged, findings, ...figures } = view;
  return [
    ...findings.map((finding) => ({ type: 'finding', ...finding })),
    ...salvaged.flatMap(({ point, lost }) => lost.map((entry) => ({ type: 'lost', point, ...entry }))),
    { type: 'plan', salvaged: salvaged.map(({ point }) => point), ...figures },
  ];
}

export function renderSnapshotRepair(outcome: SnapshotRepairOutcome, style: Style): string[] {
  const { repaired, forgotten, milliseconds } = outcome;
  const gone =
    forgotten === 0 ? 'the damaged ones stay' : `${formatCounted(forgotten, 'damaged point')} forgotten`;
  return [
    ...repaired.map(({ from, to }) => `  ${shortId(from)} → ${shortId(to)}`),
    `${style.good(signs.good)} Made ${formatCounted(repaired.length, 'point')} without what is lost in ${formatDuration(milliseconds)}; ${gone}`,
  ];
}

function renderSalvaged({ point, lost }: SalvagedPoint, style: Style): string[] {
  const hidden = lost.length - SHOWN;
  return [
    `${style.warning(signs.warning)} point ${shortId(point)} loses ${formatCounted(lost.length, 'entry', 'entries')}:`,
    ...lost.slice(0, SHOWN).map(({ path, size }) => {
      const what = size === undefined ? 'a folder, and all that was in it' : formatBytes(size);
      return `    ${printable(path)}${size === undefined ? '/' : ''}  ${style.quiet(what)}`;
    }),
    ...(hidden > 0 ? [style.quiet(`    and ${formatCount(hidden)} more (all of them with --json)`)] : []),
  ];
}
