import { type StoredSnapshot, shortId } from '@holdfast/engine';
import { formatAge, formatCounted, formatTime } from '../format.ts';
import { type Style, signs } from '../style.ts';
import { printable } from '../width.ts';
import { momentOf, type Reader } from './points.ts';
import { renderTable } from './table.ts';

export interface KeptSnapshot {
  readonly snapshot: StoredSnapshot;
  /** Why, in words: `daily snapshot`, `within 7d`. At least one. */
  readonly reasons: readonly string[];
}

export interface ForgetGroup {
  /** What the snapshots have in common, for people: `host db-2, paths /srv`. Empty without grouping. */
  readonly name: string;
  readonly keep: readonly KeptSnapshot[];
  readonly remove: readonly StoredSnapshot[];
}

export interface ForgetPlan {
  readonly groups: readonly ForgetGroup[];
}

const COLUMNS = [
  { title: '' },
  { title: 'point' },
  { title: 'taken' },
  { title: '' },
  { title: 'why', flexible: true },
] as const;

export interface ForgetView extends Reader {
  readonly style: Style;
  readonly compact: boolean;
  readonly dryRun: boolean;
}

/** Every snapshot with what happens to it and why. `compact` shows only the counts. */
export function renderForgetPlan(plan: ForgetPlan, view: ForgetView): string[] {
  const removed = plan.groups.reduce((sum, group) => sum + group.remove.length, 0);
  const kept = plan.groups.reduce((sum, group) => sum + group.keep.length, 0);
  const verb = view.dryRun ? 'would be forgotten' : 'to forget';
  return [
    ...plan.groups.flatMap((group) => [...renderGroup(group, view), '']),
    `${formatCounted(removed, 'point')} ${verb}, ${formatCounted(kept, 'point')} kept`,
  ];
}

export function forgetRecords(plan: ForgetPlan): Record<string, unknown>[] {
  return plan.groups.map((group) => ({
    type: 'plan',
    group: group.name,
    keep: group.keep.map(({ snapshot, reasons }) => ({ id: snapshot.id, time: snapshot.time, reasons })),
    remove: group.remove.map(({ id, time }) => ({ id, time })),
  }));
}

function renderGroup(group: ForgetGroup, view: ForgetView): string[] {
  const counts = `${group.remove.length} of ${group.remove.length + group.keep.length} forgotten`;
  const head = view.style.strong(group.name === '' ? counts : `${printable(group.name)} · ${counts}`);
  if (view.compact) return [head];
  const entries = [
    ...group.keep.map(({ snapshot, reasons }) => ({ snapshot, sign: signs.good, why: reasons.join(', ') })),
    ...group.remove.map((snapshot) => ({ snapshot, sign: signs.bad, why: 'forget: no rule keeps it' })),
  ].toSorted((a, b) => momentOf(a.snapshot) - momentOf(b.snapshot));
  const rows = entries.map(({ snapshot, sign, why }) => {
    const taken = momentOf(snapshot);
    const age = formatAge(taken, view.now);
    return [sign, shortId(snapshot.id), formatTime(taken, view.timeZone), age, printable(why)];
  });
  return [head, ...renderTable(COLUMNS, rows, view.width)];
}
