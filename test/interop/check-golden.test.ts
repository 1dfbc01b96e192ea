import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLocal } from '../../engine/src/backend/local/local.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { checkRepository } from '../../engine/src/repository/check/check.ts';
import { openRepository } from '../../engine/src/repository/open.ts';
import { pruneRepository } from '../../engine/src/repository/prune/prune.ts';
import {
  GOLDEN_PASSWORD,
  GOLDEN_REPOSITORIES,
  type GoldenRepository,
  unpackGolden,
} from '../fixtures/golden/unpack.ts';

const everything = { clock: systemClock, random: Math.random, readData: 'all' } as const;

describe.each(GOLDEN_REPOSITORIES)('the golden repository %s', (name) => {
  let golden: GoldenRepository;

  beforeAll(() => {
    golden = unpackGolden(name);
  });
  afterAll(() => golden[Symbol.dispose]());

  test('is sound to the last byte, before prune and after', async () => {
    const repository = await openRepository(await openLocal({ path: golden.path }), GOLDEN_PASSWORD);
    const report = await checkRepository(repository, everything);
    expect(report.findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
    expect(report.unchecked).toEqual([]);
    expect(report.checked.packsRead).toBe(report.checked.packs);
    // Only rustic leaves packs behind for a while.
    expect(report.findings.map(({ code }) => code)).toEqual(name === 'ru011' ? ['pack.marked'] : []);

    await pruneRepository(repository, {
      clock: systemClock,
      approve: () => true,
      maxUnused: { percent: 0 },
      grace: 'none',
    });
    const after = await checkRepository(repository, everything);
    expect(after).toMatchObject({ findings: [], unchecked: [], unused: { blobs: 0 } });
    expect(after.checked.trees).toBe(report.checked.trees);
  });
});
