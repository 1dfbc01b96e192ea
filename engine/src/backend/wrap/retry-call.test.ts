import { expect, test } from 'vitest';
import { Failure } from '../../kernel/failure.ts';
import { virtualClock } from '../../testing/clock.ts';
import { retryCall } from './retry-call.ts';

const options = () => ({ clock: virtualClock(), random: () => 1, totalTime: 10_000 });
const passing = new Failure('backend.unreachable', 'nobody there');

test('what fails for a reason that passes is done again', async () => {
  let tries = 0;
  const work = async () => {
    tries += 1;
    if (tries < 3) throw passing;
    return 'made';
  };
  expect(await retryCall(work, options())).toBe('made');
});

test('what fails for good, or for too long, is told', async () => {
  const denied = new Failure('backend.denied', 'not you');
  await expect(retryCall(() => Promise.reject(denied), options())).rejects.toBe(denied);
  const given = options();
  const before = given.clock.now();
  await expect(retryCall(() => Promise.reject(passing), given)).rejects.toBe(passing);
  expect(given.clock.now() - before).toBeLessThanOrEqual(10_000);
});
