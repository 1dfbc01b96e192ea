import { styleText } from 'node:util';
import type { Outcome, Skip } from './step.ts';

/** Pure text: what `npm test` prints. Colour is added where the stream shows it; a sign always says the same. */

export function stepLine(name: string, outcome: Outcome, milliseconds: number): string {
  const counts = [
    `${outcome.passed} passed`,
    ...(outcome.failed > 0 ? [`${outcome.failed} failed`] : []),
    ...(outcome.skipped.length > 0 ? [`${outcome.skipped.length} skipped`] : []),
  ].join(', ');
  const seconds = `${(milliseconds / 1000).toFixed(1)} s`;
  return ` ${sign(outcome)} ${name.padEnd(14)}${counts.padEnd(40)}${seconds.padStart(8)}`;
}

function sign(outcome: Outcome): string {
  if (outcome.failed > 0) return styleText('red', '✖');
  if (outcome.skipped.length > 0) return styleText('yellow', '▲');
  return styleText('green', '✔');
}

/** Tests that were skipped, under the reason that they share. */
export function skipLines(skips: readonly Skip[]): string[] {
  const byReason = Map.groupBy(skips, (skip) => skip.reason);
  return [...byReason].flatMap(([reason, tests]) => [` ${reason}`, ...tests.map(({ test }) => `   ${test}`)]);
}

export interface Total {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Of those, what this machine would have let run. */
  readonly skippedNeedlessly: number;
}

export function total(outcomes: readonly Outcome[]): Total {
  const skips = outcomes.flatMap(({ skipped }) => skipped);
  return {
    passed: outcomes.reduce((sum, { passed }) => sum + passed, 0),
    failed: outcomes.reduce((sum, { failed }) => sum + failed, 0),
    skipped: skips.length,
    skippedNeedlessly: skips.filter(({ impossible }) => impossible !== true).length,
  };
}

/**
 * A machine that tests for others must be able to run everything: there a skip is a failure, unless the machine does
 * not allow what was skipped (a container that may not mount, for one).
 */
export function exitCode(
  { failed, skippedNeedlessly }: Total,
  { skipsFail }: { skipsFail: boolean },
): number {
  return failed > 0 || (skipsFail && skippedNeedlessly > 0) ? 1 : 0;
}
