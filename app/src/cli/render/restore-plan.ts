import { formatCount, formatCounted } from '../format.ts';
import { type Style, signs } from '../style.ts';
import { printable } from '../width.ts';

export interface RestorePlan {
  /** Where to, absolute. */
  readonly target: string;
  /** What is in the target and not in the point, as paths below the target; a directory ends with a slash. */
  readonly deletions: readonly string[];
  /** Stands for exactly these deletions. */
  readonly token: string;
}

/** More would push the question off the screen; JSON has them all. */
const SHOWN = 20;

export function renderRestorePlan(plan: RestorePlan, style: Style, dryRun: boolean): string[] {
  const hidden = plan.deletions.length - SHOWN;
  const amount = formatCounted(plan.deletions.length, 'entry', 'entries');
  return [
    `${style.warning(signs.warning)} Deletes ${amount} of ${printable(plan.target)} that the point does not have`,
    ...plan.deletions.slice(0, SHOWN).map((path) => `  ${printable(path)}`),
    ...(hidden > 0 ? [style.quiet(`  and ${formatCount(hidden)} more (all of them with --json)`)] : []),
    ...(dryRun ? [`  To agree to exactly this: --consent ${plan.token}`] : []),
  ];
}

export function restorePlanRecord(plan: RestorePlan): Record<string, unknown> {
  return { type: 'plan', ...plan };
}
