import { expect, test } from 'vitest';
import { shopPolicy } from '../testing/healthy-stack.ts';
import { newRun } from './tick.ts';

const WISH = {
  kind: 'snapshot',
  about: 'media',
  cause: 'missed',
  dueAt: 5,
  notBefore: 7,
  attempt: 2,
} as const;

test('a new run has the steps, places and priority that the policy gives it now', () => {
  const policy = shopPolicy();
  const urgent = policy.sources.map((source) => ({ ...source, priority: 'P1' as const }));
  const run = newRun({ ...policy, sources: urgent }, WISH);
  expect(run).toMatchObject({ ...WISH, repositories: ['main'], priority: 3 });
  expect(run.steps.map(({ name }) => name)).toEqual(['snapshot']);
  expect(newRun(policy, WISH).priority).toBe(2);
  expect(newRun(policy, { ...WISH, kind: 'check', about: 'main' }).priority).toBe(1);
});
