import { describe, expect, test } from 'vitest';
import { memoryOutbox } from '../testing/memory-outbox.ts';
import { outboxPromises } from '../testing/outbox-promises.ts';
import type { Letter, Send, Sent } from './channel/sending.ts';
import { deliverDue } from './delivery.ts';

const never = new AbortController().signal;
const HOUR = 3_600_000;

describe('an outbox in memory', () => {
  outboxPromises(async () => memoryOutbox());
});

describe('delivery', () => {
  test('tries again after 5 s, twice as long each time, until half an hour', async () => {
    const post = office(() => ({ ok: false, message: 'nobody there' }));
    await post.add('ops');
    await post.live(2 * HOUR);
    const pauses = post.tried.slice(1).map((at, index) => Math.round((at - (post.tried[index] ?? 0)) / 1000));
    expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 1280, 1800, 1800]);
  });

  test('waits as long as the receiver asks for', async () => {
    const post = office(() => ({ ok: false, message: 'it answered 429', retryAfter: 300_000 }));
    await post.add('ops');
    await post.live(301_000);
    expect(post.tried).toEqual([0, 300_000]);
  });

  test('gives up after a day, and says so', async () => {
    const post = office(() => ({ ok: false, message: 'nobody there' }));
    await post.add('ops');
    await post.live(25 * HOUR);
    expect(await post.outbox.health()).toMatchObject([{ channel: 'ops', waiting: 0, givenUp: 1 }]);
    expect(Math.max(...post.tried)).toBeLessThanOrEqual(24 * HOUR);
  });

  test('keeps the order of a channel’s messages over a failure', async () => {
    let up = false;
    const arrived: number[] = [];
    const post = office(({ message }) => {
      if (!up) return { ok: false, message: 'nobody there' };
      arrived.push(message.at);
      return { ok: true };
    });
    await post.add('ops', 1);
    await post.live(1000);
    await post.add('ops', 2);
    await post.live(1000);
    up = true;
    await post.live(HOUR);
    expect(arrived).toEqual([1, 2]);
  });

  test('lets no message that is refused for what it says hold up the next', async () => {
    const arrived: number[] = [];
    const post = office(({ message }) => {
      if (message.at === 1) return { ok: false, message: 'it answered 400', fault: 'message' };
      arrived.push(message.at);
      return { ok: true };
    });
    await post.add('ops', 1);
    await post.add('ops', 2);
    await post.live(1000);
    expect(arrived).toEqual([2]);
  });

  test('lets no channel wait for another', async () => {
    const slow = Promise.withResolvers<Sent>();
    const arrived: string[] = [];
    const post = office(({ message }) => {
      if (message.channel === 'slow') return slow.promise;
      arrived.push(message.channel);
      return { ok: true };
    });
    await post.add('slow');
    await post.add('ops');
    const delivering = post.tick();
    await expect.poll(() => arrived).toEqual(['ops']);
    slow.resolve({ ok: true });
    await delivering;
  });

  test('gives up what is for a channel that the policy no longer has', async () => {
    const post = office(() => ({ ok: true }));
    await post.add('gone');
    await post.tick();
    expect(await post.outbox.health()).toMatchObject([{ channel: 'gone', givenUp: 1 }]);
  });
});

/** An outbox with senders for two channels, and a clock that is turned second by second. */
function office(answer: (letter: Letter) => Sent | Promise<Sent>) {
  const outbox = memoryOutbox();
  const tried: number[] = [];
  let now = 0;
  const send: Send = async (letter) => {
    tried.push(now);
    return answer(letter);
  };
  const tools = {
    outbox,
    senders: new Map([
      ['ops', send],
      ['slow', send],
    ]),
    letterhead: { stack: 'shop', timezone: 'UTC' },
    now: () => now,
    random: () => 0,
  };
  const tick = () => deliverDue(tools, never);
  return {
    outbox,
    tried,
    tick,
    add: (channel: string, at = now) => outbox.add([{ channel, at, news: [] }], now),
    async live(milliseconds: number) {
      for (const end = now + milliseconds; now < end; now += 1000) await tick();
    },
  };
}
