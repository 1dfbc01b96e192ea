import { expect } from 'vitest';
import { Prng } from '../../bench/corpus/prng.ts';
import { loopDisk } from '../servers/loop-disk.ts';
import { testWith } from '../servers/test-with.ts';
import { PowerCuts } from './power-cut.ts';

const withLoopDisk = testWith(loopDisk);
const CUTS = 5;

withLoopDisk(
  'however often the power is cut, everything that was promised is there, and work goes on',
  async () => {
    using cuts = await PowerCuts.create();
    const prng = new Prng(`cuts ${Date.now()}`);
    for (let number = 0; number < CUTS; number += 1) {
      const cut = { seed: `cut ${prng.next()}`, at: 300 + prng.below(3000) };
      expect(await cuts.cut(cut), JSON.stringify(cut)).toEqual([]);
    }
    expect(cuts.counts.promised).toBeGreaterThan(CUTS);
  },
);

withLoopDisk('with a disk that only pretends to sync, the same cuts lose what was promised', async () => {
  for (const without of ['sync', 'syncDirectory'] as const) {
    using cuts = await PowerCuts.create();
    expect(await cuts.cut({ seed: 'honest', at: 'promise' })).toEqual([]);
    expect(await cuts.cut({ seed: 'pretending', at: 'promise', without }), without).not.toEqual([]);
  }
});
