import type { Problem } from '../alert/incident.ts';
import { compareSeverity } from '../alert/routing.ts';
import type { Judged, Look, Verdict } from './status.ts';

/** Worse to the right. Unknown is worse than at risk: of that we know at least how bad it is. */
const ORDER: readonly Verdict[] = ['good', 'at risk', 'unknown', 'broken'];

export function compareVerdicts(a: Verdict, b: Verdict): number {
  return ORDER.indexOf(a) - ORDER.indexOf(b);
}

export function worstVerdict(verdicts: readonly Verdict[]): Verdict {
  return verdicts.reduce((worst, verdict) => (compareVerdicts(verdict, worst) > 0 ? verdict : worst), 'good');
}

/** Gathers what one judgement finds on its way. */
export class Evidence {
  readonly #problems: Problem[] = [];
  readonly #unknown: string[] = [];
  readonly #looked: Look[] = [];

  add(...problems: readonly Problem[]): void {
    this.#problems.push(...problems);
  }

  miss(sentence: string): void {
    this.#unknown.push(sentence);
  }

  look(what: string, at: number): void {
    this.#looked.push({ what, at });
  }

  judged(): Judged {
    const verdicts: Verdict[] = this.#problems.map(({ severity }) => BY_SEVERITY[severity]);
    if (this.#unknown.length > 0) verdicts.push('unknown');
    return {
      verdict: worstVerdict(verdicts),
      problems: this.#problems.toSorted(worstFirst),
      unknown: this.#unknown,
      looked: this.#looked,
    };
  }
}

/** Among equals what is oldest first. */
export function worstFirst(a: Problem, b: Problem): number {
  return compareSeverity(b, a) || a.since - b.since || (a.key < b.key ? -1 : 1);
}

const BY_SEVERITY = { critical: 'broken', warning: 'at risk', info: 'good' } as const;
