/**
 * What a running backup has done so far, in memory that all threads share: each worker writes a row of its own, the
 * main thread adds the rows up whenever somebody wants to know. Plain writes suffice: one writer a row, and a reader
 * that is a moment behind is no harm.
 */
export const COUNTERS = [
  'filesNew',
  'filesChanged',
  'filesUnmodified',
  'dirsNew',
  'dirsChanged',
  'dirsUnmodified',
  'others',
  'bytesProcessed',
  'bytesRead',
  'dataBlobs',
  'dataAdded',
  'dataPacked',
  'treeBlobs',
  'treeAdded',
  'treePacked',
  'problems',
] as const;

export type CounterName = (typeof COUNTERS)[number];
export type Counts = Readonly<Record<CounterName, number>>;

const POSITION = Object.fromEntries(COUNTERS.map((name, index) => [name, index])) as Record<
  CounterName,
  number
>;
/** Bytes a row keeps for the path that its worker is at. */
const PATH_BYTES = 512;
const ROW_BYTES = COUNTERS.length * 8 + PATH_BYTES;

export function allocateCounters(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer(workers * ROW_BYTES);
}

/** One worker's row. */
export class CounterRow {
  readonly #values: Float64Array;
  readonly #path: Buffer;

  constructor(shared: SharedArrayBuffer, worker: number) {
    this.#values = new Float64Array(shared, worker * ROW_BYTES, COUNTERS.length);
    this.#path = Buffer.from(shared, worker * ROW_BYTES + COUNTERS.length * 8, PATH_BYTES);
  }

  add(name: CounterName, amount: number): void {
    const position = POSITION[name];
    this.#values[position] = (this.#values[position] ?? 0) + amount;
  }

  /** Shows what is being worked on. `path` is a byte string; its end is what fits. */
  at(path: string): void {
    const shown = path.length > PATH_BYTES - 1 ? path.slice(path.length - PATH_BYTES + 1) : path;
    const written = this.#path.write(shown, 0, 'latin1');
    this.#path[written] = 0;
  }
}

export function sumCounters(shared: SharedArrayBuffer): Counts {
  const sums = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Record<CounterName, number>;
  for (let row = 0; row < shared.byteLength; row += ROW_BYTES) {
    const values = new Float64Array(shared, row, COUNTERS.length);
    for (const name of COUNTERS) sums[name] += values[POSITION[name]] ?? 0;
  }
  return sums;
}

/** The paths that the workers are at, as text. */
export function currentPaths(shared: SharedArrayBuffer): string[] {
  const paths: string[] = [];
  for (let row = 0; row < shared.byteLength; row += ROW_BYTES) {
    // Copied first: a text decoder does not take shared memory.
    const bytes = Buffer.from(Buffer.from(shared, row + COUNTERS.length * 8, PATH_BYTES));
    const end = bytes.indexOf(0);
    if (end > 0) paths.push(bytes.toString('utf8', 0, end));
  }
  return paths;
}
