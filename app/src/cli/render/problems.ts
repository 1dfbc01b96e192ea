import { formatCount } from '../format.ts';
import { type Style, signs } from '../style.ts';
import { printable } from '../width.ts';

/** A path that could not be handled, and why. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

/** More would push the summary off the screen; JSON has them all. */
const SHOWN = 20;

export function renderProblems(problems: readonly Problem[], style: Style): string[] {
  const shown = problems.slice(0, SHOWN);
  const hidden = problems.length - shown.length;
  return [
    ...shown.map(
      (problem) => `${style.bad(signs.bad)} ${printable(problem.path)}: ${printable(problem.message)}`,
    ),
    ...(hidden === 0 ? [] : [style.quiet(`  and ${formatCount(hidden)} more (all of them with --json)`)]),
  ];
}
