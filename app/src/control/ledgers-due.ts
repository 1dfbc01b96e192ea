export interface LedgerFacts {
  /** Names. */
  readonly repositories: readonly string[];
  /** By name: up to when the ledger there tells what happened. */
  readonly written: ReadonlyMap<string, number>;
  /** When a run ended last, or a finding was seen; absent: nothing has happened yet. */
  readonly changedAt: number | undefined;
  readonly now: number;
  /** So long after the last one the next is due, if anything has happened since. */
  readonly every: number;
}

/**
 * Pure: the repositories that our ledger is to be written to. One without any gets it at once: the policy is in it, and
 * whoever is left with nothing but a repository needs that first. A mark from the future (the clock went back) is none.
 */
export function ledgersDue({ repositories, written, changedAt, now, every }: LedgerFacts): string[] {
  return repositories.filter((name) => {
    const at = written.get(name);
    if (at === undefined || at > now) return true;
    return changedAt !== undefined && changedAt >= at && now - at >= every;
  });
}
