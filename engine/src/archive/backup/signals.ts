/**
 * The few numbers that the threads of a backup share besides the counters.
 *
 * A worker that has nothing to do says so once (`hungry` grows) and sleeps on its wake number, which grows with every
 * message to it. Whoever has work to spare takes one off `hungry` for each task it gives away, so that never more is
 * given than wanted. `unsaved` counts a worker's packs that are not durable yet: the bound on memory.
 */
export class Signals {
  readonly shared: SharedArrayBuffer;
  readonly #numbers: Int32Array<SharedArrayBuffer>;

  constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.#numbers = new Int32Array(shared);
  }

  static allocate(workers: number): Signals {
    return new Signals(new SharedArrayBuffer((COMMON + workers * PER_WORKER) * 4));
  }

  get stopped(): boolean {
    return Atomics.load(this.#numbers, STOPPED) !== 0;
  }

  stop(): void {
    Atomics.store(this.#numbers, STOPPED, 1);
  }

  get hungry(): number {
    return Atomics.load(this.#numbers, HUNGRY);
  }

  becomeHungry(): void {
    Atomics.add(this.#numbers, HUNGRY, 1);
  }

  /** Takes one hungry worker for a task that is about to be given away; false when another was quicker. */
  claimHungry(): boolean {
    for (let seen = this.hungry; seen > 0; seen = this.hungry) {
      if (Atomics.compareExchange(this.#numbers, HUNGRY, seen, seen - 1) === seen) return true;
    }
    return false;
  }

  wakeNumber(worker: number): number {
    return Atomics.load(this.#numbers, wakeAt(worker));
  }

  wake(worker: number): void {
    Atomics.add(this.#numbers, wakeAt(worker), 1);
    Atomics.notify(this.#numbers, wakeAt(worker));
  }

  /** Blocks a worker while its wake number is `seen`. */
  sleep(worker: number, seen: number): void {
    Atomics.wait(this.#numbers, wakeAt(worker), seen);
  }

  unsaved(worker: number): number {
    return Atomics.load(this.#numbers, unsavedAt(worker));
  }

  packDelivered(worker: number): void {
    Atomics.add(this.#numbers, unsavedAt(worker), 1);
  }

  packSaved(worker: number): void {
    Atomics.sub(this.#numbers, unsavedAt(worker), 1);
  }
}

const STOPPED = 0;
const HUNGRY = 1;
const COMMON = 2;
const PER_WORKER = 2;

function wakeAt(worker: number): number {
  return COMMON + worker * PER_WORKER;
}

function unsavedAt(worker: number): number {
  return wakeAt(worker) + 1;
}
