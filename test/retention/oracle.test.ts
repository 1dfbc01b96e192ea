import { describe, expect, it } from 'vitest';
import { decideRetention } from '../../app/src/retention/decide-retention.ts';
import { oracleFor, scenario } from './scenario.ts';

describe('what retention keeps', () => {
  it('is what brute force keeps, in 4,000 situations', () => {
    for (let seed = 0; seed < 4000; seed += 1) {
      const input = scenario(seed);
      const { kept, removed, skipped } = decideRetention(input);
      const ids = kept.map(({ point }) => point.snapshot).sort();
      expect({ seed, ids }).toEqual({ seed, ids: oracleFor(input) });
      expect(kept.every(({ reasons }) => reasons.length > 0)).toBe(true);
      expect(kept.length + removed.length).toBe(input.points.length);
      if (skipped !== undefined) expect(removed).toEqual([]);
    }
  });
});
