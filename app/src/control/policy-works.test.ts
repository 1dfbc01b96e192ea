import { describe, expect, test } from 'vitest';
import type { CopyPolicy, Policy, Schedule } from '../policy/model.ts';
import { HOUR, MINUTE, shopPolicy } from '../testing/healthy-stack.ts';
import { copiesAfter, scopeOf, worksOf } from './policy-works.ts';

function withCopy(changes: Partial<CopyPolicy>): Policy {
  const policy = shopPolicy();
  return { ...policy, copies: policy.copies.map((copy) => ({ ...copy, ...changes })) };
}

function copyWork(policy: Policy) {
  return worksOf(policy, new Map()).find(({ kind }) => kind === 'copy');
}

describe('what a policy wants done', () => {
  test('is each thing once, under a name of its own', () => {
    const names = worksOf(shopPolicy(), new Map()).map(({ name }) => name);
    expect(names).toEqual([
      'snapshot metadata',
      'snapshot media',
      'copy main → offsite',
      'verify main → offsite',
      ...['main', 'offsite'].flatMap((at) => [`survey ${at}`, `retention ${at}`, `check ${at}`]),
    ]);
  });

  test('carries what was dealt with already', () => {
    const works = worksOf(shopPolicy(), new Map([['snapshot media', 7]]));
    expect(works.find(({ name }) => name === 'snapshot media')?.handled).toBe(7);
    expect(works.find(({ name }) => name === 'snapshot metadata')).not.toHaveProperty('handled');
  });

  test('removes and checks nothing at first sight, and saves at once', () => {
    const first = Object.fromEntries(
      worksOf(shopPolicy(), new Map()).map(({ kind, firstSight }) => [kind, firstSight]),
    );
    expect(first).toEqual({
      snapshot: 'run',
      copy: 'run',
      survey: 'run',
      verify: 'wait',
      retention: 'wait',
      check: 'wait',
    });
  });

  test('carries a journal twice in an RPO', () => {
    const interval = (5 * MINUTE) / 2;
    expect(copyWork(shopPolicy())?.schedule.when).toEqual({ kind: 'every', interval });
  });

  test.each<[string, Partial<CopyPolicy>, Schedule['when']]>([
    ['after snapshots alone where no journal goes along', { sources: ['media'] }, { kind: 'never' }],
    [
      'by the clock where the policy says so',
      { after: { when: { kind: 'every', interval: HOUR }, jitter: 0, missed: 'once' } },
      { kind: 'every', interval: HOUR },
    ],
  ])('copies %s', (_, changes, when) => {
    expect(copyWork(withCopy(changes))?.schedule.when).toEqual(when);
  });

  test('never copies more often than once a second', () => {
    const policy = shopPolicy();
    const sources = policy.sources.map((source) => ({ ...source, objective: { rpo: 10 } }));
    expect(copyWork({ ...policy, sources })?.schedule.when).toEqual({ kind: 'every', interval: 1000 });
  });
});

describe('a copy after a snapshot', () => {
  test.each<[string, Partial<CopyPolicy>, number]>([
    ['follows each of its sources', {}, 1],
    ['does not follow a source that is none of its own', { sources: ['metadata'] }, 0],
    ['does not follow what is saved elsewhere', { from: 'offsite' }, 0],
    [
      'does not follow by itself when it goes by the clock',
      { after: { when: { kind: 'never' }, jitter: 0, missed: 'skip' } },
      0,
    ],
  ])('%s', (_, changes, copies) => {
    expect(copiesAfter(withCopy(changes), 'media')).toHaveLength(copies);
  });
});

test.each([
  ['snapshot', 'media', { source: 'media', repositories: ['main'], priority: 'P2' }],
  ['snapshot', 'gone', { source: 'gone', repositories: [], priority: 'P2' }],
  ['copy', 'main → offsite', { repositories: ['main', 'offsite'], priority: 'P2' }],
  ['copy', 'gone', { repositories: [], priority: 'P2' }],
  ['verify', 'main → offsite', { repositories: ['offsite'], priority: 'P3' }],
  ['verify', 'gone', { repositories: [], priority: 'P3' }],
  ['retention', 'main', { repositories: ['main'], priority: 'P3' }],
  ['check', 'main', { repositories: ['main'], priority: 'P3' }],
  ['survey', 'main', { repositories: ['main'], priority: 'P3' }],
] as const)('%s %s counts for the limits of what it works on', (kind, about, scope) => {
  expect(scopeOf(shopPolicy(), kind, about)).toEqual(scope);
});
