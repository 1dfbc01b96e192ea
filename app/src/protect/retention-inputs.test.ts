import { describe, expect, test } from 'vitest';
import type { OpenFinding } from '../catalog/records.ts';
import type { CopyPolicy, Policy } from '../policy/model.ts';
import { DAY, NOW, pointOf, shopPolicy } from '../testing/healthy-stack.ts';
import { retentionInputs, rulesAt } from './retention-inputs.ts';

const OWN = { for: 7 * DAY };

function withCopy(changes: Partial<CopyPolicy>): Policy {
  const policy = shopPolicy();
  return { ...policy, copies: policy.copies.map((copy) => ({ ...copy, ...changes })) };
}

describe('the rules at a repository', () => {
  test.each<[string, Policy, string, { source: string; rules: object }[]]>([
    [
      'are each source’s own where it is saved',
      shopPolicy(),
      'main',
      [
        { source: 'metadata', rules: OWN },
        { source: 'media', rules: OWN },
      ],
    ],
    [
      'are the source’s own at a copy without rules',
      shopPolicy(),
      'offsite',
      [
        { source: 'metadata', rules: OWN },
        { source: 'media', rules: OWN },
      ],
    ],
    [
      'are the copy’s where it has some, for its sources alone',
      withCopy({ sources: ['media'], keep: { last: 1 } }),
      'offsite',
      [{ source: 'media', rules: { last: 1 } }],
    ],
    ['do not exist for sources that the policy has lost', withCopy({ sources: ['gone'] }), 'offsite', []],
    ['do not exist where nothing is kept', shopPolicy(), 'elsewhere', []],
  ])('%s', (_, policy, repository, rules) => {
    expect(rulesAt(policy, repository)).toEqual(rules);
  });
});

describe('what retention decides about', () => {
  const finding = (repository: string): OpenFinding => ({
    repository,
    severity: 'error',
    code: 'pack.damaged',
    subject: 'pack',
    message: 'damaged',
    snapshots: [],
    foundAt: 0,
    seenAt: 0,
  });
  const window = (source: string) => ({ repository: 'main', source, from: 1, to: 2 });
  const seen = {
    points: [pointOf('main', 'media', 1), pointOf('main', 'metadata', 2), pointOf('main', 'attic', 3)],
    windows: [window('metadata'), window('attic')],
    findings: [finding('main'), finding('offsite')],
    now: NOW,
  };

  test('is each source of the policy with what is its own, and the findings of the place', () => {
    const inputs = retentionInputs(shopPolicy(), 'main', seen);
    expect(inputs.map(({ source, input }) => [source, input.points, input.windows])).toEqual([
      ['metadata', [seen.points[1]], [seen.windows[0]]],
      ['media', [seen.points[0]], []],
    ]);
    expect(inputs.map(({ input }) => input.findings)).toEqual([[seen.findings[0]], [seen.findings[0]]]);
  });

  test('is under the hold of its source alone', () => {
    const policy = shopPolicy();
    const hold = { reason: 'case 12' };
    const sources = policy.sources.map((source) => (source.name === 'media' ? { ...source, hold } : source));
    const inputs = retentionInputs({ ...policy, sources }, 'main', seen);
    expect(inputs.map(({ input }) => input.holds)).toEqual([[], [hold]]);
  });

  test('is in doubt when somebody says so', () => {
    const doubts = retentionInputs(shopPolicy(), 'main', { ...seen, doubt: 'torn' }).map(
      ({ input }) => input.doubt,
    );
    expect(doubts).toEqual(['torn', 'torn']);
  });
});
