/** Lets a number of tasks run at once; the others wait in the order in which they came. */
export interface Semaphore {
  /** Rejects with the signal's reason when it aborts before the task's turn; the task itself has to watch it after. */
  run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export function semaphore(permits: number): Semaphore {
  let free = permits;
  const waiting = new Set<() => void>();

  async function acquire(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (free > 0) {
      free -= 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    waiting.add(resolve);
    const leave = (): void => {
      // A turn that was given already is kept: the task hears of the abort by itself.
      if (waiting.delete(resolve)) reject(signal?.reason);
    };
    signal?.addEventListener('abort', leave, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  function release(): void {
    const [next] = waiting;
    if (next === undefined) {
      free += 1;
      return;
    }
    waiting.delete(next);
    next();
  }

  return {
    async run(task, signal) {
      await acquire(signal);
      try {
        return await task();
      } finally {
        release();
      }
    },
  };
}
