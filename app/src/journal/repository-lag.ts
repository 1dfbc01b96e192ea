/**
 * How old the oldest byte is that is in the spool and not yet in the repository: what would be lost with the spool's disk.
 * Two times are enough, since the shipper works in rounds: what has arrived before a round that succeeds is in the
 * repository after it. All times in milliseconds since the epoch.
 */
export class RepositoryLag {
  #oldest: number | undefined;
  /** Of what has arrived since the round began that is under way. */
  #oldestOfNext: number | undefined;

  arrived(at: number): void {
    this.#oldest ??= at;
    this.#oldestOfNext ??= at;
  }

  /** The shipper looks for what is new. */
  roundBegun(): void {
    this.#oldestOfNext = undefined;
  }

  /** It has found something, from an earlier process perhaps. */
  found(oldest: number): void {
    this.#oldest ??= oldest;
  }

  roundSucceeded(): void {
    this.#oldest = this.#oldestOfNext;
  }

  /** Milliseconds; 0 when all is in the repository. */
  age(now: number): number {
    return this.#oldest === undefined ? 0 : Math.max(0, now - this.#oldest);
  }
}
