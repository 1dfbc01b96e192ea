import { describe, expect, it } from 'vitest';
import { decideRetention } from '../../app/src/retention/decide-retention.ts';
import { expiries, previewRetention } from '../../app/src/retention/preview-retention.ts';
import { scenario } from './scenario.ts';
import { difference, prepareTrial } from './trial.ts';

describe('retention', () => {
  it('keeps what brute force keeps, in 5,000 situations, and lets it go when brute force does, in 200', () => {
    const trial = prepareTrial({ decisions: 5000, futures: 200 });
    expect(difference(trial, { decideRetention, previewRetention, expiries })).toBeUndefined();
  });

  it('names a reason for each point that stays, and removes nothing when it is skipped', () => {
    for (let seed = 0; seed < 1000; seed += 1) {
      const { kept, removed, skipped } = decideRetention(scenario(seed));
      expect(kept.every(({ reasons }) => reasons.length > 0)).toBe(true);
      if (skipped !== undefined) expect(removed).toEqual([]);
    }
  });
});
