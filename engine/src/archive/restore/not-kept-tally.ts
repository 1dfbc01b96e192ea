import type { CounterRow, RestoreCounter } from './counters.ts';
import type { NotKeptKind } from './problem.ts';

/** Counts what one thread could not keep, and tells the reason of the first of each kind. */
export class NotKeptTally {
  readonly #counters: CounterRow;
  readonly #first: (kind: NotKeptKind, reason: string) => void;
  readonly #told = new Set<NotKeptKind>();

  constructor(counters: CounterRow, first: (kind: NotKeptKind, reason: string) => void) {
    this.#counters = counters;
    this.#first = first;
  }

  add(kind: NotKeptKind, reason: string): void {
    this.#counters.add(notKeptCounter(kind), 1);
    if (this.#told.has(kind)) return;
    this.#told.add(kind);
    this.#first(kind, reason);
  }
}

export function notKeptCounter(kind: NotKeptKind): RestoreCounter {
  return `${kind}NotKept`;
}
