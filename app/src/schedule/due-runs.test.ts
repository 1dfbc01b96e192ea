import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Schedule } from '../policy/model.ts';
import { dueRuns, type ScheduledWork } from './due-runs.ts';
import { jitterOf } from './jitter.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOON = Date.UTC(2026, 10, 21, 12);

const hourly: Schedule = {
  when: { kind: 'cron', expression: '0 * * * *', timezone: 'UTC' },
  jitter: 0,
  missed: 'once',
};

function work(overrides: Partial<ScheduledWork> = {}): ScheduledWork {
  return {
    name: 'snapshot metadata',
    schedule: hourly,
    handled: NOON - HOUR,
    firstSight: 'run',
    ...overrides,
  };
}

describe('what is due', () => {
  it('is a run at its moment, once, and then the next', () => {
    expect(dueRuns([work()], NOON - 1).due).toEqual([]);
    const decision = dueRuns([work()], NOON);
    expect(decision.due).toEqual([{ name: 'snapshot metadata', cause: 'schedule', dueAt: NOON, count: 1 }]);
    expect(decision.handled).toEqual([{ name: 'snapshot metadata', at: NOON }]);
    expect(decision.next).toEqual([{ name: 'snapshot metadata', at: NOON + HOUR }]);
    expect(dueRuns([work({ handled: NOON })], NOON + 1).due).toEqual([]);
  });

  it('is one run for all that an outage has cost', () => {
    expect(dueRuns([work({ handled: NOON - 7 * DAY })], NOON + HOUR / 2).due).toEqual([
      { name: 'snapshot metadata', cause: 'missed', dueAt: NOON, count: 168 },
    ]);
  });

  it('is nothing for an outage that the policy does not make up for, and it says so', () => {
    const schedule: Schedule = { ...hourly, missed: 'skip' };
    const decision = dueRuns([work({ schedule, handled: NOON - DAY })], NOON + HOUR / 2);
    expect(decision.due).toEqual([]);
    expect(decision.handled).toEqual([{ name: 'snapshot metadata', at: NOON }]);
    expect(decision.passedOver[0]?.why).toContain('24 times were missed');
    expect(dueRuns([work({ schedule, handled: NOON - DAY })], NOON).due).toMatchObject([
      { cause: 'schedule', count: 1 },
    ]);
  });

  it('is a new source at once, and a new repository at its time', () => {
    const { handled: _, ...unseen } = work();
    expect(dueRuns([unseen], NOON + 5).due).toMatchObject([{ cause: 'schedule', dueAt: NOON + 5 }]);
    const waiting = dueRuns([{ ...unseen, firstSight: 'wait' }], NOON + 5);
    expect(waiting.due).toEqual([]);
    expect(waiting.handled).toEqual([{ name: 'snapshot metadata', at: NOON + 5 }]);
  });

  it('begins later by its jitter, for the moment of its schedule', () => {
    const schedule: Schedule = { ...hourly, jitter: 10 * 60_000 };
    const jitter = jitterOf('snapshot metadata', schedule);
    expect(jitter).toBeGreaterThan(0);
    expect(dueRuns([work({ schedule })], NOON + jitter - 1).due).toEqual([]);
    expect(dueRuns([work({ schedule })], NOON + jitter).due).toMatchObject([
      { cause: 'schedule', dueAt: NOON },
    ]);
    expect(dueRuns([work({ schedule })], NOON).next[0]?.at).toBe(NOON + jitter);
  });

  it('is nothing for a schedule that is never', () => {
    const schedule: Schedule = { when: { kind: 'never' }, jitter: 0, missed: 'once' };
    const { handled: _, ...unseen } = work({ schedule });
    expect(dueRuns([unseen], NOON)).toEqual({ due: [], handled: [], passedOver: [], next: [] });
  });
});

describe('a clock that jumps', () => {
  it('back by a little repeats nothing', () => {
    const decision = dueRuns([work({ handled: NOON })], NOON - 2000);
    expect(decision.due).toEqual([]);
    expect(decision.handled).toEqual([]);
    expect(decision.next[0]?.at).toBe(NOON + HOUR);
  });

  it('back by years does not wait for years, and says so', () => {
    const decision = dueRuns([work({ handled: NOON + 4 * 365 * DAY })], NOON - 1);
    expect(decision.due).toEqual([]);
    expect(decision.handled).toEqual([{ name: 'snapshot metadata', at: NOON - 1 }]);
    expect(decision.passedOver).toHaveLength(1);
    expect(dueRuns([work({ handled: NOON - 1 })], NOON).due).toMatchObject([{ dueAt: NOON }]);
  });

  it('back by a minute stops a run each five seconds for no longer than that', () => {
    const schedule: Schedule = { when: { kind: 'every', interval: 5000 }, jitter: 0, missed: 'once' };
    const decision = dueRuns([work({ schedule, handled: NOON })], NOON - 60_000);
    expect(decision.handled).toEqual([{ name: 'snapshot metadata', at: NOON - 60_000 }]);
    expect(decision.next[0]?.at).toBe(NOON - 55_000);
  });

  it('forward by decades is one run, and is decided quickly', () => {
    const { due } = dueRuns([work()], NOON + 30 * 365 * DAY + 20 * 60_000);
    expect(due).toMatchObject([{ cause: 'missed', count: 400 * 24 }]);
  });

  it('to and fro neither runs all again nor stops the schedule', () => {
    const step = fc.oneof(
      fc.integer({ min: 1, max: 2 * HOUR }),
      fc.integer({ min: -30 * DAY, max: 30 * DAY }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let now = NOON;
        let handled = NOON;
        let forward = 0;
        let runs = 0;
        const tick = () => {
          const decision = dueRuns([work({ handled })], now);
          runs += decision.due.length;
          handled = decision.handled[0]?.at ?? handled;
          return decision;
        };
        for (const by of steps) {
          now += by;
          if (by > 0) forward += 1;
          tick();
        }
        // At most one run for each step forward, however far; each step is one tick.
        expect(runs).toBeLessThanOrEqual(forward);
        // And whatever has been: within an hour and the small step back there is a run again.
        now += HOUR + 600_000;
        runs = 0;
        tick();
        now += HOUR;
        tick();
        expect(runs).toBeGreaterThanOrEqual(1);
      }),
    );
  });
});

describe('the jitter of a name', () => {
  it('is always the same, below its limit, and different for different names', () => {
    const names = Array.from({ length: 200 }, (_, index) => `snapshot source-${index}`);
    const jitters = names.map((name) => jitterOf(name, { jitter: 600_000 }));
    expect(jitters).toEqual(names.map((name) => jitterOf(name, { jitter: 600_000 })));
    expect(Math.min(...jitters)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...jitters)).toBeLessThan(600_000);
    // Over ten tenths of the range none is empty.
    expect(new Set(jitters.map((jitter) => Math.floor(jitter / 60_000))).size).toBe(10);
    expect(jitterOf('anything', { jitter: 0 })).toBe(0);
  });
});
