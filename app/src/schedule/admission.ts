import type { RunLimits } from '../policy/model.ts';

const HOUR = 3_600_000;
/** So long a run lets others go before it that have what it waits for; then it keeps its place. */
const PATIENCE = HOUR;

/** A run as far as it matters whether it may start. */
export interface RunClaim {
  readonly id: string;
  readonly kind: string;
  /** Name of the source, repository or copy: `kind` and `about` together are never at work twice. */
  readonly about: string;
  readonly source?: string;
  /** All that it works on. */
  readonly repositories: readonly string[];
  readonly priority: 'P1' | 'P2' | 'P3';
  readonly dueAt: number;
  /** Not before this moment: a retry waits. */
  readonly notBefore?: number;
}

export type AdmissionLimits = Pick<RunLimits, 'runs' | 'perSource' | 'perRepository'>;

/**
 * Pure: which of the waiting runs may start now, in the order in which they should. P1 before P2 before P3, the oldest
 * first among equals; each hour of waiting lifts a run by one, so that a P3 comes before a fresh P1 after two of them,
 * and a run that could not start for an hour keeps others from what it needs. So nobody waits for ever.
 */
export function admit(
  waiting: readonly RunClaim[],
  running: readonly RunClaim[],
  limits: AdmissionLimits,
  now: number,
): RunClaim[] {
  const busy = new Usage(limits);
  for (const run of running) busy.take(run);
  const started: RunClaim[] = [];
  const ready = waiting.filter(({ notBefore = now }) => notBefore <= now);
  for (const run of ready.toSorted((a, b) => rank(a, now) - rank(b, now) || byAge(a, b))) {
    if (busy.hasRoomFor(run)) {
      busy.take(run);
      started.push(run);
    } else if (waited(run, now) >= PATIENCE) {
      busy.reserve(run);
    }
  }
  return started;
}

/** What is in use. */
class Usage {
  readonly #limits: AdmissionLimits;
  readonly #works = new Set<string>();
  readonly #sources = new Map<string, number>();
  readonly #repositories = new Map<string, number>();
  #runs = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  hasRoomFor(run: RunClaim): boolean {
    const { runs, perSource, perRepository } = this.#limits;
    return (
      this.#runs < runs &&
      !this.#works.has(workOf(run)) &&
      (run.source === undefined || (this.#sources.get(run.source) ?? 0) < perSource) &&
      run.repositories.every((name) => (this.#repositories.get(name) ?? 0) < perRepository)
    );
  }

  take(run: RunClaim): void {
    this.#runs += 1;
    this.#works.add(workOf(run));
    this.reserve(run);
  }

  /** Counts what it needs as in use, but no place among the runs: those are given out in order anyway. */
  reserve(run: RunClaim): void {
    if (run.source !== undefined) increase(this.#sources, run.source);
    for (const name of new Set(run.repositories)) increase(this.#repositories, name);
  }
}

function workOf({ kind, about }: RunClaim): string {
  return `${kind} ${about}`;
}

function increase(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function rank(run: RunClaim, now: number): number {
  return Number(run.priority.slice(1)) - Math.floor(waited(run, now) / HOUR);
}

/** A wait that was ordered, as a retry's is, is no waiting. */
function waited({ dueAt, notBefore = dueAt }: RunClaim, now: number): number {
  return Math.max(0, now - Math.max(dueAt, notBefore));
}

function byAge(a: RunClaim, b: RunClaim): number {
  return a.dueAt - b.dueAt || (a.id < b.id ? -1 : Number(a.id > b.id));
}
