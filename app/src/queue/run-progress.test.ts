import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { progressOf, type StepFacts } from './run-progress.ts';

function step(ordinal: number, changes: Partial<StepFacts> = {}): StepFacts {
  return {
    ordinal,
    state: 'waiting',
    runs: 'when all is well',
    decides: true,
    incomplete: false,
    ...changes,
  };
}

const anyStep = fc.record({
  runs: fc.constantFrom('when all is well', 'after a failure', 'always'),
  decides: fc.boolean(),
  ends: fc.constantFrom('done', 'failed', 'unknown'),
} as const);

/** A run as it goes when each step that is begun ends as it is told to. */
function play(
  plan: readonly (Pick<StepFacts, 'runs' | 'decides'> & { ends: StepFacts['state'] })[],
  cancelling = false,
) {
  const steps = plan.map((planned, at) => ({
    ...step(at + 1),
    runs: planned.runs,
    decides: planned.decides,
  }));
  const begun: number[] = [];
  for (;;) {
    const { skipped, next, end } = progressOf(steps, cancelling);
    const set = (ordinal: number, state: StepFacts['state']) => {
      steps[ordinal - 1] = { ...(steps[ordinal - 1] ?? step(ordinal)), state };
    };
    for (const ordinal of skipped) set(ordinal, 'skipped');
    if (next === undefined) return { steps, begun, end };
    begun.push(next);
    set(next, plan[next - 1]?.ends ?? 'done');
  }
}

describe('a run', () => {
  test('always ends, with every step done or left out, none begun twice, in their order', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 8 }), fc.boolean(), (plan, cancelling) => {
        const { steps, begun, end } = play(plan, cancelling);
        expect(begun).toEqual([...new Set(begun)].sort((a, b) => a - b));
        expect(steps.some(({ state }) => state === 'waiting' || state === 'running')).toBe(false);
        const failed = steps.some(
          ({ state, decides }) => decides && (state === 'failed' || state === 'unknown'),
        );
        expect(end?.state).toBe(cancelling ? 'cancelled' : failed ? 'failed' : 'succeeded');
      }),
    );
  });

  test('does what comes always, whatever happened before', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 6 }), fc.boolean(), (plan, cancelling) => {
        const last = { runs: 'always', decides: false, ends: 'done' } as const;
        expect(play([...plan, last], cancelling).begun).toContain(plan.length + 1);
      }),
    );
  });

  test('that is cancelled begins nothing else', () => {
    const plan = [
      { runs: 'when all is well', decides: true, ends: 'done' },
      { runs: 'after a failure', decides: true, ends: 'done' },
      { runs: 'always', decides: true, ends: 'done' },
    ] as const;
    expect(play(plan, true).begun).toEqual([3]);
  });

  test('has not failed when a step failed that does not decide', () => {
    const { end } = progressOf(
      [step(1, { state: 'failed', decides: false }), step(2, { state: 'done' })],
      false,
    );
    expect(end).toEqual({ state: 'succeeded' });
  });

  test('tells what its steps brought together, and why it failed', () => {
    const result = (summary: string) => ({ snapshots: [summary], bytes: 1, added: 2, findings: [], summary });
    const failure = { code: 'backend.full', message: 'No room.' };
    const steps = [
      step(1, { state: 'done', result: result('a'), incomplete: true }),
      step(2, { state: 'failed', result: result('b'), failure }),
    ];
    expect(progressOf(steps, false).end).toEqual({
      state: 'failed',
      failure,
      result: { snapshots: ['a', 'b'], bytes: 2, added: 4, findings: [], summary: 'a; b' },
    });
  });
});
