import { Failure, type StoredSnapshot } from '@holdfast/engine';
import { virtualClock } from '@holdfast/engine/testing';
import { describe, expect, test } from 'vitest';
import { BaseAfterGap, type BaseEvent } from './base-after-gap.ts';
import type { JournalEvent } from './journal-event.ts';

const SNAPSHOT = { id: 'a base' } as unknown as StoredSnapshot;
const streaming = (from: bigint): JournalEvent => ({
  kind: 'streaming',
  host: { name: 'db-1', port: 5432 },
  timeline: 1,
  from,
});
const GAP: JournalEvent = {
  kind: 'gap',
  from: 1n,
  to: 2n,
  finding: { severity: 'error', code: 'journal.gap', subject: '', message: '' },
};

/** A repository that knows up to where a base leads, and what is to be done when a base is asked for. */
function scene({
  bases = 0n,
  take,
}: {
  bases?: bigint;
  take?: (() => bigint | Promise<bigint>) | undefined;
} = {}) {
  const stop = new AbortController();
  const clock = virtualClock();
  const events: BaseEvent[] = [];
  let reached = bases;
  const heard = { resolve: () => {} };
  const after = new BaseAfterGap({
    isLedTo: async ({ lsn }) => lsn <= reached,
    takeBase:
      take === undefined
        ? undefined
        : async () => {
            reached = await take();
            return SNAPSHOT;
          },
    clock,
    random: () => 1,
    onEvent: (event) => {
      events.push(event);
      heard.resolve();
    },
    signal: stop.signal,
  });
  const running = after.run();
  const until = async (condition: () => boolean) => {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        heard.resolve = resolve;
      });
    }
  };
  return {
    after,
    clock,
    until,
    kinds: () => events.map(({ kind }) => kind),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

describe('a base behind every journal', () => {
  test('is taken at the beginning where none leads to it, and once', async () => {
    await using one = scene({ take: () => 100n });
    one.after.hear(streaming(50n));
    await one.until(() => one.kinds().includes('base-taken'));
    // The same stream after a broken connection is no beginning.
    one.after.hear(streaming(70n));
    await new Promise(setImmediate);
    expect(one.kinds()).toEqual(['finding', 'base-taken']);
  });

  test('is not taken where one leads to it already', async () => {
    await using one = scene({ bases: 60n, take: () => 100n });
    one.after.hear(streaming(50n));
    await new Promise(setImmediate);
    expect(one.kinds()).toEqual([]);
  });

  test('is tried ever more rarely until it succeeds', async () => {
    let tries = 0;
    await using one = scene({
      take: () => {
        tries += 1;
        if (tries < 13) throw new Failure('source.unreachable', 'not now');
        return 100n;
      },
    });
    one.after.hear(streaming(50n));
    await one.until(() => one.kinds().includes('base-taken'));
    expect(one.clock.sleeps.slice(0, 3)).toEqual([2000, 4000, 8000]);
    expect(one.clock.sleeps.at(-1)).toBe(15 * 60_000);
    expect(one.kinds().filter((kind) => kind === 'finding')).toHaveLength(1);
  });

  test('that does not lead to the journal is not taken again without a pause', async () => {
    let tries = 0;
    await using one = scene({
      take: () => {
        tries += 1;
        return tries < 3 ? 10n : 100n;
      },
    });
    one.after.hear(streaming(50n));
    await one.until(() => one.kinds().filter((kind) => kind === 'base-taken').length === 3);
    expect(one.kinds().filter((kind) => kind === 'base-failed')).toHaveLength(2);
  });

  test('is taken once more when a gap comes while one is being taken', async () => {
    let [tries, gap] = [0, () => {}];
    await using one = scene({
      take: () => {
        tries += 1;
        if (tries === 1) gap();
        return tries === 1 ? 100n : 300n;
      },
    });
    gap = () => {
      one.after.hear(GAP);
      one.after.hear(streaming(200n));
    };
    one.after.hear(streaming(50n));
    await one.until(() => one.kinds().filter((kind) => kind === 'base-taken').length === 2);
    expect(one.kinds()).toEqual(['finding', 'base-taken', 'finding', 'base-taken']);
  });

  test('is only missed, when somebody else sees to it', async () => {
    await using one = scene();
    one.after.hear(streaming(50n));
    await one.until(() => one.kinds().length > 0);
    await new Promise(setImmediate);
    expect(one.kinds()).toEqual(['finding']);
  });
});
