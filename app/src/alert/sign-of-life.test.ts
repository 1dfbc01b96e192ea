import { describe, expect, it } from 'vitest';
import { nextSign, SignOfLife } from './sign-of-life.ts';

const MINUTE = 60_000;

describe('a sign of life', () => {
  it.each([
    ['begins with a start', undefined, false, 0, 'start'],
    ['follows the start at once', said('start', 0), false, 1, 'success'],
    ['comes with the interval', said('success', 0), false, 5 * MINUTE, 'success'],
    ['does not come before', said('success', 0), false, 5 * MINUTE - 1, undefined],
    ['says trouble at once', said('success', 0), true, 1, 'fail'],
    ['goes on to say trouble with the interval', said('fail', 0), true, 1, undefined],
    ['says the end of trouble at once', said('fail', 0), false, 1, 'success'],
    ['that was not heard comes again within a minute', said('success', 0, false), false, MINUTE, 'success'],
    ['that was not heard does not come at each look', said('success', 0, false), true, MINUTE - 1, undefined],
  ])('%s', (_, last, critical, now, expected) => {
    expect(nextSign(last, { critical, interval: 5 * MINUTE, now })).toBe(expected);
  });

  it('that nobody hears is a problem until it is heard', async () => {
    let ok = false;
    const life = new SignOfLife(async () => (ok ? { ok } : { ok, message: 'the server answered 503' }));
    const look = async (now: number) => {
      const to = { url: { kind: 'plain', text: 'https://hc.example/1' }, interval: MINUTE } as const;
      life.look([], { to, stack: 'shop', now }, new AbortController().signal);
      await new Promise(setImmediate);
    };
    await look(0);
    await look(MINUTE);
    expect(life.problems()).toMatchObject([
      { code: 'delivery.failing', since: 0, message: expect.stringContaining('the server answered 503.') },
    ]);
    ok = true;
    await look(2 * MINUTE);
    expect(life.problems()).toEqual([]);
  });
});

function said(sign: 'start' | 'success' | 'fail', at: number, heard = true) {
  return { sign, at, heard };
}
