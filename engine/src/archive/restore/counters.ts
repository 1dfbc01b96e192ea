/**
 * What a running restore has done so far, in memory that all threads share: one row a thread, written by that thread
 * alone, added up by whoever wants to know.
 */
export const COUNTERS = [
  /** To do, as far as the snapshot has been walked. */
  'filesExpected',
  'bytesExpected',
  /** Regular files that are now as in the snapshot, and their bytes; those that were so already are among them. */
  'filesDone',
  'bytesDone',
  'filesUnchanged',
  'bytesWritten',
  /** Left as they were because of the overwrite rule. */
  'kept',
  'directories',
  'symlinks',
  'hardLinks',
  'specials',
  'filesVerified',
  'bytesVerified',
  'problems',
  'ownersNotKept',
  'modesNotKept',
  'attributesNotKept',
  'timesNotKept',
  'specialsNotKept',
  'socketsNotKept',
] as const;

export type RestoreCounter = (typeof COUNTERS)[number];
export type RestoreCounts = Readonly<Record<RestoreCounter, number>>;

const POSITION = Object.fromEntries(COUNTERS.map((name, index) => [name, index])) as Record<
  RestoreCounter,
  number
>;
const ROW_BYTES = COUNTERS.length * 8;

/** A row for each worker and one for the main thread, which is the last. */
export function allocateCounters(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer((workers + 1) * ROW_BYTES);
}

export class CounterRow {
  readonly #values: Float64Array;

  constructor(shared: SharedArrayBuffer, row: number) {
    this.#values = new Float64Array(shared, row * ROW_BYTES, COUNTERS.length);
  }

  add(name: RestoreCounter, amount: number): void {
    const position = POSITION[name];
    this.#values[position] = (this.#values[position] as number) + amount;
  }
}

export function sumCounters(shared: SharedArrayBuffer): RestoreCounts {
  const sums = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Record<RestoreCounter, number>;
  const values = new Float64Array(shared);
  for (const [index, value] of values.entries())
    sums[COUNTERS[index % COUNTERS.length] as RestoreCounter] += value;
  return sums;
}
