import { describe, expect, test } from 'vitest';
import type { Hook, Policy } from '../policy/model.ts';
import { DAY, shopPolicy } from '../testing/healthy-stack.ts';
import { partAt, planRun } from './run-plan.ts';

const hook = (when: Hook['when'], onError: Hook['onError'] = 'stop'): Hook => {
  return { when, command: 'true', timeout: 1000, onError };
};

function withHooks(...hooks: readonly Hook[]): Policy {
  const policy = shopPolicy();
  return {
    ...policy,
    sources: policy.sources.map((source) => (source.name === 'media' ? { ...source, hooks } : source)),
  };
}

function stepsOf(...[kind, about, dueAt, policy]: Parameters<typeof planRun>) {
  return planRun(kind, about, dueAt, policy).map(({ name, runs, once, decides }) =>
    [name, runs, once ? 'once' : 'again', decides ? 'decides' : 'does not'].join(', '),
  );
}

describe('the steps of a run', () => {
  test('put hooks around a snapshot, never begun twice, and one that may fail decides nothing', () => {
    const policy = withHooks(
      hook('before'),
      hook('after', 'go on'),
      hook('on failure'),
      hook('before', 'go on'),
    );
    expect(stepsOf('snapshot', 'media', 0, policy)).toEqual([
      'hook before 1, when all is well, once, decides',
      'hook before 4, when all is well, once, does not',
      'snapshot, when all is well, again, decides',
      'hook after 2, when all is well, once, does not',
      'hook on failure 3, after a failure, once, does not',
    ]);
  });

  test('name the hook by its place among all of the source', () => {
    const [, , second] = planRun('snapshot', 'media', 0, withHooks(hook('before'), hook('after')));
    expect(second?.order).toEqual({ kind: 'hook', source: 'media', hook: 1 });
  });

  test('forget before they prune, and look around whatever the record came to', () => {
    expect(stepsOf('retention', 'main', 0, shopPolicy())).toEqual([
      'forget, when all is well, again, decides',
      'prune, when all is well, again, decides',
      'record, when all is well, again, does not',
      'survey, when all is well, again, does not',
    ]);
  });

  test('look at the target after a copy', () => {
    const orders = planRun('copy', 'main → offsite', 0, shopPolicy()).map(({ order }) => order);
    expect(orders).toEqual([
      { kind: 'task', task: { kind: 'copy', copy: 'main → offsite' } },
      { kind: 'task', task: { kind: 'survey', repository: 'offsite' } },
    ]);
  });

  test.each(['check', 'verify'] as const)('of a %s read the part whose turn it is', (kind) => {
    const about = kind === 'check' ? 'main' : 'main → offsite';
    const [only] = planRun(kind, about, 31 * DAY, shopPolicy());
    expect(only?.order).toMatchObject({ task: { kind, part: 2, of: 30 } });
  });

  test.each(['check', 'verify'] as const)('of a %s that the policy lost meanwhile read no data', (kind) => {
    expect(planRun(kind, 'gone', DAY, shopPolicy())[0]?.order).toMatchObject({ task: { part: 0, of: 0 } });
  });

  test('of a survey are one', () => {
    expect(stepsOf('survey', 'main', 0, shopPolicy())).toEqual(['survey, when all is well, again, decides']);
  });
});

describe('the part that is read back', () => {
  test('is another one each day, and all of them in the time that was promised', () => {
    const parts = Array.from({ length: 30 }, (_, day) => partAt(day * DAY + 1, 30 * DAY).part);
    expect(new Set(parts)).toEqual(new Set(Array.from({ length: 30 }, (_, index) => index + 1)));
  });

  test.each([
    [0, { part: 0, of: 0 }],
    [-1, { part: 0, of: 0 }],
    [DAY, { part: 1, of: 1 }],
    [DAY / 4, { part: 1, of: 1 }],
  ])('with all of it in %d ms is %o', (everything, part) => {
    expect(partAt(5 * DAY, everything)).toEqual(part);
  });
});
