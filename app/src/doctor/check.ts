import type { Finding } from '@holdfast/engine';

/** What a doctor found, with what to paste where to mend it. */
export interface Advice extends Finding {
  /** Lines for the place that `fixIn` names. */
  readonly fix?: readonly string[];
  /** `psql, as an administrator`, `pg_hba.conf`, … */
  readonly fixIn?: string;
}

/** One thing that is looked at: a decision on facts that were gathered before, so that it can be tested without them. */
export interface Check<Facts> {
  /** What is as it should be when there is nothing to say: `WAL is written for backups`. */
  readonly healthy: string;
  /** Whether enough is known to say anything; always unless it says so. */
  known?(facts: Facts): boolean;
  /** Undefined when all is well. */
  examine(facts: Facts): Advice | undefined;
}

export interface Diagnosis {
  readonly subject: string;
  /** What was looked at and is as it should be. */
  readonly healthy: readonly string[];
  readonly advice: readonly Advice[];
}

export function diagnose<Facts>(subject: string, checks: readonly Check<Facts>[], facts: Facts): Diagnosis {
  const healthy: string[] = [];
  const advice: Advice[] = [];
  for (const check of checks) {
    if (check.known?.(facts) === false) continue;
    const found = check.examine(facts);
    if (found === undefined) healthy.push(check.healthy);
    else advice.push(found);
  }
  return { subject, healthy, advice };
}
