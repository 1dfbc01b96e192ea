import { expect, test } from 'vitest';
import { systemClock } from './clock.ts';

test('a sleep that is aborted rejects with the signal’s own reason', async () => {
  const abort = new AbortController();
  const reason = new Error('enough');
  const sleeping = systemClock.sleep(60_000, abort.signal);
  abort.abort(reason);
  await expect(sleeping).rejects.toBe(reason);
  await expect(systemClock.sleep(60_000, abort.signal)).rejects.toBe(reason);
});
