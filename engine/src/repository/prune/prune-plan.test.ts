import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Id } from '../../kernel/id.ts';
import type { PackUsage, PruneFacts } from './pack-usage.ts';
import { type PruneOptions, planPrune, withoutRemoving } from './prune-plan.ts';

const MiB = 1024 * 1024;
let count = 0;

function pack(used: number, unused: number, changes: Partial<PackUsage> = {}): PackUsage {
  count += 1;
  return {
    id: count.toString(16).padStart(64, '0') as Id,
    type: 'data',
    size: used + unused + 100,
    used: { blobs: Math.sign(used), bytes: used },
    unused: { blobs: Math.sign(unused), bytes: unused },
    duplicate: { blobs: 0, bytes: 0 },
    uncompressed: false,
    markedAt: undefined,
    ...changes,
  };
}

function plan(packs: readonly PackUsage[], options: PruneOptions = {}) {
  return planPrune({ packs, unreferenced: [], gone: [], indexFiles: 0, records: [] }, options);
}

/** What happens to each pack, in order. */
function fates(packs: readonly PackUsage[], options: PruneOptions = {}): string[] {
  return plan(packs, options).packs.map(({ action, reason }) => `${action}: ${reason}`);
}

describe('a pack', () => {
  test('that is all in use stays, one that is not in use goes', () => {
    expect(fates([pack(20 * MiB, 0), pack(0, 20 * MiB)])).toEqual(['keep: in use', 'remove: not in use']);
  });

  test('that is partly in use stays while that is little of the repository', () => {
    const packs = [pack(100 * MiB, 0), pack(10 * MiB, 5 * MiB), pack(10 * MiB, 1 * MiB)];
    expect(fates(packs)).toEqual([
      'keep: in use',
      'keep: unused parts within the limit',
      'keep: unused parts within the limit',
    ]);
    expect(fates(packs, { maxUnused: { percent: 3 } })).toEqual([
      'keep: in use',
      'repack: partly in use',
      'keep: unused parts within the limit',
    ]);
    expect(fates(packs, { maxUnused: { bytes: 0 } }).slice(1)).toEqual([
      'repack: partly in use',
      'repack: partly in use',
    ]);
    expect(fates(packs, { maxUnused: 'unlimited' })).not.toContain('repack: partly in use');
  });

  test('of trees is written anew however little of it is unused', () => {
    expect(fates([pack(100 * MiB, 0), pack(10 * MiB, 1, { type: 'tree' })])[1]).toBe('repack: partly in use');
  });

  test('whose blobs another pack keeps as well counts as unused in them', () => {
    const twice = { blobs: 1, bytes: 9 * MiB };
    expect(fates([pack(1 * MiB, 0, { duplicate: twice })])).toEqual(['repack: partly in use']);
    expect(fates([pack(0, 0, { duplicate: twice })])).toEqual(['remove: not in use']);
  });

  test('that mixes data and trees is written anew', () => {
    expect(fates([pack(20 * MiB, 0, { type: 'mixed' })])).toEqual(['repack: data and trees mixed']);
  });

  test('without compression is written anew when asked for', () => {
    const packs = [pack(20 * MiB, 0, { uncompressed: true })];
    expect(fates(packs)).toEqual(['keep: in use']);
    expect(fates(packs, { repackUncompressed: true })).toEqual(['repack: uncompressed']);
  });

  test('of data is left alone when only trees are to be rewritten', () => {
    const packs = [pack(1 * MiB, 9 * MiB), pack(1 * MiB, 9 * MiB, { type: 'tree' }), pack(0, 5)];
    expect(fates(packs, { repackCacheableOnly: true })).toEqual([
      'keep: data, and only trees are rewritten',
      'repack: partly in use',
      'remove: not in use',
    ]);
  });

  test('that is small is joined with others, when they are ten', () => {
    const small = Array.from({ length: 9 }, () => pack(1 * MiB, 0));
    expect(new Set(fates([...small, pack(1 * MiB, 0, { type: 'tree' })]))).toEqual(new Set(['keep: in use']));
    expect(new Set(fates([...small, pack(1 * MiB, 0)]))).toEqual(new Set(['repack: small']));
    expect(new Set(fates([...small, pack(1 * MiB, 0)], { packSize: 2 * MiB }))).toEqual(
      new Set(['keep: in use']),
    );
  });

  test('that is marked goes, or stays and loses its mark', () => {
    const packs = [pack(0, MiB, { markedAt: 5 }), pack(20 * MiB, 0, { markedAt: 5 })];
    expect(fates(packs)).toEqual(['remove: not in use', 'keep: marked, but in use']);
    expect(plan(packs).idle).toBe(false);
    expect(plan(packs.slice(1)).idle).toBe(false);
  });
});

describe('with a grace', () => {
  const grace = { now: 100, keep: 10 };
  const fatesOf = (packs: readonly PackUsage[]) =>
    planPrune({ packs, unreferenced: [], gone: [], indexFiles: 0, records: [] }, {}, grace).packs.map(
      ({ action }) => action,
    );

  test('what nobody needs is marked, then waits, then goes', () => {
    const marks = [undefined, 101, Number.POSITIVE_INFINITY, 100, 91, 90, 0];
    expect(fatesOf(marks.map((markedAt) => pack(0, MiB, { markedAt })))).toEqual([
      'mark',
      'mark',
      'mark',
      'wait',
      'wait',
      'remove',
      'remove',
    ]);
  });

  test('what is in use loses its mark however old that is', () => {
    expect(fatesOf([pack(20 * MiB, 0, { markedAt: 0 })])).toEqual(['keep']);
  });

  test('the plan tells what is marked, what goes and until when the rest stays', () => {
    const packs = [
      pack(0, 300, { size: 300 }),
      pack(0, 400, { size: 400, markedAt: 95 }),
      pack(0, 500, { size: 500, markedAt: 93 }),
      pack(0, 600, { size: 600, markedAt: 20 }),
      pack(50, 700, { size: 750 }),
    ];
    const unreferenced = [{ id: 'f'.repeat(64) as Id, size: 1_000 }];
    const { totals, idle } = planPrune(
      { packs, unreferenced, gone: [], indexFiles: 0, records: [] },
      {},
      grace,
    );
    expect(totals).toMatchObject({
      marked: { packs: 3, bytes: 300 + 750 + 1_000 },
      waiting: { packs: 2, bytes: 900, until: 103 },
      removed: { packs: 1, bytes: 600 },
      freed: 600,
    });
    expect(idle).toBe(false);
  });

  test('a plan that only waits has nothing to do', () => {
    const packs = [pack(0, 300, { markedAt: 95 })];
    expect(planPrune({ packs, unreferenced: [], gone: [], indexFiles: 0, records: [] }, {}, grace).idle).toBe(
      true,
    );
  });

  test('whatever somebody came to need stays, and nothing else does', () => {
    const packs = [
      pack(0, 300),
      pack(0, 300, { markedAt: 95 }),
      pack(0, 300, { markedAt: 5 }),
      pack(50, 700),
    ];
    const before = planPrune({ packs, unreferenced: [], gone: [], indexFiles: 0, records: [] }, {}, grace);
    const needed = new Set(packs.map(({ id }) => id));
    expect(withoutRemoving(before, needed).packs.map(({ action }) => action)).toEqual(
      packs.map(() => 'keep'),
    );
    needed.delete(packs[0]!.id);
    expect(withoutRemoving(before, needed).packs.map(({ action }) => action)).toEqual([
      'mark',
      'keep',
      'keep',
      'keep',
    ]);
    expect(withoutRemoving(before, new Set())).toBe(before);
  });
});

describe('a limit of rewriting', () => {
  test('goes to the packs that give most back', () => {
    const packs = [pack(15 * MiB, 1 * MiB), pack(2 * MiB, 14 * MiB), pack(8 * MiB, 8 * MiB)];
    expect(fates(packs, { maxUnused: { bytes: 0 }, maxRepackBytes: 33 * MiB })).toEqual([
      'keep: limit of rewriting reached',
      'repack: partly in use',
      'repack: partly in use',
    ]);
  });
});

describe('a plan', () => {
  test('says what it frees and what stays unused', () => {
    const facts: PruneFacts = {
      packs: [
        pack(100, 0),
        pack(0, 300),
        pack(50, 400),
        pack(0, 0, { duplicate: { blobs: 1, bytes: 7 }, size: 10 }),
      ],
      unreferenced: [{ id: 'f'.repeat(64) as Id, size: 1_000 }],
      gone: [],
      indexFiles: 0,
      records: [],
    };
    expect(planPrune(facts).totals).toEqual({
      before: { packs: 5, bytes: 200 + 400 + 550 + 10 + 1_000 },
      kept: { packs: 1, bytes: 200 },
      repacked: { packs: 1, bytes: 550, freed: 400 },
      removed: { packs: 2, bytes: 410 },
      unreferenced: { packs: 1, bytes: 1_000 },
      marked: { packs: 0, bytes: 0 },
      waiting: { packs: 0, bytes: 0 },
      freed: 1_810,
      unusedAfter: 0,
    });
  });

  test('that would change nothing says so', () => {
    expect(plan([pack(20 * MiB, 0)]).idle).toBe(true);
    expect(
      planPrune({ packs: [], unreferenced: [], gone: ['a'.repeat(64) as Id], indexFiles: 0, records: [] })
        .idle,
    ).toBe(false);
  });

  test('refuses a percentage that is none', () => {
    expect(() => plan([], { maxUnused: { percent: 101 } })).toThrow(
      expect.objectContaining({ code: 'usage' }),
    );
  });

  test('decides every pack, never removes one that is in use, and keeps to its limits', () => {
    const anyPack = fc
      .record({
        used: fc.nat(8 * MiB),
        unused: fc.nat(8 * MiB),
        type: fc.constantFrom('data' as const, 'tree' as const, 'mixed' as const),
      })
      .map(({ used, unused, type }) => pack(used, unused, { type }));
    const anyLimits = fc.record({
      maxUnused: fc.oneof(
        fc.record({ percent: fc.nat(100) }),
        fc.record({ bytes: fc.nat(9 * MiB) }),
        fc.constant('unlimited' as const),
      ),
      maxRepackBytes: fc.nat(40 * MiB),
    });
    fc.assert(
      fc.property(fc.array(anyPack, { maxLength: 15 }), anyLimits, (packs, limits) => {
        const { packs: planned, totals } = plan(packs, limits);
        expect(planned.map(({ id }) => id)).toEqual(packs.map(({ id }) => id));
        for (const { action, used } of planned) expect(action === 'remove').toBe(used.blobs === 0);
        expect(totals.repacked.bytes).toBeLessThanOrEqual(limits.maxRepackBytes);
        const unusedKept = planned
          .filter(({ action }) => action === 'keep')
          .reduce((sum, { unused }) => sum + unused.bytes, 0);
        expect(totals.unusedAfter).toBe(unusedKept);
      }),
    );
  });
});
