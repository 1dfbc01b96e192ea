import type { Backend, Handle } from '../backend/backend.ts';

export interface FarAway {
  readonly backend: Backend;
  /** How often somebody had to wait for the way there and back, whatever was under way at the same time. */
  waits(): number;
  /** The most calls that were under way at once. */
  most(): number;
}

/**
 * A backend behind a long way, without the time that it takes: calls set off, and only when nothing more is going to set
 * off do all of them arrive. So calls that do not wait for each other cost one wait, and a chain costs one a link. Work
 * in other threads is not seen: what sets off after it may count one more than it would on a real way.
 */
export function farAway(inner: Backend): FarAway {
  let waits = 0;
  let most = 0;
  let travelling: (() => void)[] = [];
  let quietTurns = 0;

  function turn(): void {
    quietTurns += 1;
    if (quietTurns < QUIET_TURNS) {
      setImmediate(turn);
      return;
    }
    const arriving = travelling;
    travelling = [];
    waits += 1;
    for (const arrive of arriving) arrive();
  }

  async function travel(): Promise<void> {
    quietTurns = 0;
    if (travelling.length === 0) setImmediate(turn);
    await new Promise<void>((arrive) => {
      travelling.push(arrive);
      most = Math.max(most, travelling.length);
    });
  }

  const backend: Backend = {
    ...inner,
    save: async (...args) => {
      await travel();
      await inner.save(...args);
    },
    load: async (...args) => {
      await travel();
      return await inner.load(...args);
    },
    stat: async (...args) => {
      await travel();
      return await inner.stat(...args);
    },
    remove: async (...args) => {
      await travel();
      await inner.remove(...args);
    },
    async *list(...args) {
      await travel();
      yield* inner.list(...args);
    },
  };
  return { backend, waits: () => waits, most: () => most };
}

const QUIET_TURNS = 4;

/** A backend from which no call of a kind comes back before `count` of them have set off, in which case all do. */
export function together(
  inner: Backend,
  call: 'save' | 'load',
  count: number,
  concerns: (handle: Handle) => boolean,
): Backend {
  let underWay: (() => void)[] = [];
  async function gather(handle: Handle): Promise<void> {
    if (!concerns(handle)) return;
    await new Promise<void>((arrive) => {
      underWay.push(arrive);
      if (underWay.length < count) return;
      for (const each of underWay) each();
      underWay = [];
    });
  }
  return {
    ...inner,
    save: async (handle, ...rest) => {
      if (call === 'save') await gather(handle);
      await inner.save(handle, ...rest);
    },
    load: async (handle, ...rest) => {
      if (call === 'load') await gather(handle);
      return await inner.load(handle, ...rest);
    },
  };
}
