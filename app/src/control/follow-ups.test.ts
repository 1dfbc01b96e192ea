import { describe, expect, test } from 'vitest';
import type { Run } from '../catalog/records.ts';
import { DAY, MINUTE, runOf, SECOND, shopPolicy } from '../testing/healthy-stack.ts';
import { followUps } from './follow-ups.ts';

const T = 100 * DAY;
const snapshot = (changes: Partial<Run> = {}) =>
  runOf('snapshot', 'media', T, { endedAt: T + 10, ...changes });
const copy = (changes: Partial<Run> = {}) =>
  runOf('copy', 'main → offsite', T - DAY, { queuedAt: T - DAY, endedAt: T - DAY + 10, ...changes });
/** As `exactOptionalPropertyTypes` wants it. */
const unended = ({ endedAt: _, ...run }: Run): Run => run;

describe('after a snapshot', () => {
  test.each<[string, Run[], boolean]>([
    ['the first copy follows', [snapshot()], true],
    ['a copy follows one of before', [snapshot(), copy()], true],
    ['a copy follows an incomplete one as well', [snapshot({ state: 'incomplete' }), copy()], true],
    ['none follows a failed one', [snapshot({ state: 'failed', attempt: 9 }), copy()], false],
    ['none follows a cancelled one', [snapshot({ state: 'cancelled' }), copy()], false],
    ['none follows while it still runs', [unended(snapshot({ state: 'running' })), copy()], false],
    ['none follows while one is waiting', [snapshot(), unended(copy({ state: 'waiting' }))], false],
    ['none follows while one is running', [snapshot(), unended(copy({ state: 'running' }))], false],
    ['none follows when one was queued since', [snapshot(), copy({ queuedAt: T + 10 })], false],
    [
      'one that was queued just before its end did not carry it',
      [snapshot(), copy({ queuedAt: T + 9 })],
      true,
    ],
  ])('%s', (_, last, follows) => {
    expect(followUps(shopPolicy(), last).filter(({ kind }) => kind === 'copy')).toEqual(
      follows
        ? [
            {
              kind: 'copy',
              about: 'main → offsite',
              cause: 'after snapshot',
              dueAt: T + 10,
              notBefore: T + 10,
              attempt: 1,
            },
          ]
        : [],
    );
  });

  test('of two sources one copy carries both', () => {
    const both = [snapshot(), runOf('snapshot', 'metadata', T, { endedAt: T + 20 })];
    expect(followUps(shopPolicy(), both)).toHaveLength(1);
  });

  test('nothing follows of a source that the policy has lost', () => {
    expect(followUps(shopPolicy({ sources: [] }), [snapshot()])).toEqual([]);
  });
});

describe('a failed run', () => {
  const failed = (attempt: number, kind: Run['kind'] = 'snapshot', about = 'media') =>
    runOf(kind, about, T, { state: 'failed', endedAt: T + 10, attempt });

  test.each([
    [1, MINUTE],
    [2, 2 * MINUTE],
    [3, 4 * MINUTE],
  ])('is tried again after its try %d, later each time, for the same moment', (attempt, wait) => {
    expect(followUps(shopPolicy(), [failed(attempt)])).toEqual([
      {
        kind: 'snapshot',
        about: 'media',
        cause: 'retry',
        dueAt: T,
        notBefore: T + 10 + wait,
        attempt: attempt + 1,
      },
    ]);
  });

  test('is left alone when all tries of its source are used up', () => {
    expect(followUps(shopPolicy(), [failed(4)])).toEqual([]);
  });

  test.each([
    [5, 1],
    [6, 0],
  ])('of a repository is tried five times again: after %d it is %d', (attempt, again) => {
    expect(followUps(shopPolicy(), [failed(attempt, 'check', 'main')])).toHaveLength(again);
  });

  test('waits as long as its source says', () => {
    const policy = shopPolicy();
    const sources = policy.sources.map((source) => ({ ...source, retry: { limit: 1, delay: SECOND } }));
    expect(followUps({ ...policy, sources }, [failed(1)])[0]?.notBefore).toBe(T + 10 + SECOND);
    expect(followUps({ ...policy, sources }, [failed(2)])).toEqual([]);
  });

  test('of a copy never waits longer than the next one would have', () => {
    const policy = shopPolicy();
    const objective = { rpo: 10 * SECOND };
    const sources = policy.sources.map((source) =>
      source.journal === undefined ? source : { ...source, objective },
    );
    const [first] = followUps({ ...policy, sources }, [failed(1, 'copy', 'main → offsite')]);
    expect(first?.notBefore).toBe(T + 10 + 5 * SECOND);
  });

  test.each(['succeeded', 'incomplete', 'cancelled', 'running', 'waiting'] as const)(
    'and no other is: %s',
    (state) => {
      expect(followUps(shopPolicy(), [runOf('check', 'main', T, { state })])).toEqual([]);
    },
  );
});
