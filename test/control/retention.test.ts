import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { OpenFinding } from '../../app/src/catalog/records.ts';
import type { KeepRules, Policy, SourcePolicy } from '../../app/src/policy/model.ts';
import { carryCopy } from '../../app/src/protect/copy.ts';
import { forgetPoints } from '../../app/src/protect/forget.ts';
import { INCOMPLETE_TAG } from '../../app/src/protect/labels.ts';
import { DAY } from '../../app/src/testing/healthy-stack.ts';
import { DutyScene } from './duty-scene.ts';

const FORGET = { kind: 'forget', repository: 'main' } as const;
const COPY = { kind: 'copy', copy: 'main → offsite' } as const;

function withMedia(changes: Partial<SourcePolicy>) {
  return (policy: Policy): Policy => ({
    ...policy,
    sources: policy.sources.map((source) =>
      source.name === 'media' ? { ...source, keep: { for: 7 * DAY }, ...changes } : source,
    ),
  });
}

function damageOf(snapshot: string): OpenFinding {
  return {
    severity: 'error',
    code: 'pack.damaged',
    subject: 'pack 1a2b',
    message: 'It is damaged.',
    repository: 'main',
    snapshots: [snapshot],
    foundAt: 1,
    seenAt: 1,
  };
}

describe('retention on a repository', () => {
  test('forgets what no rule keeps, and nothing of sources that the policy does not name', async () => {
    using scene = new DutyScene(withMedia({}));
    const main = await scene.create('main');
    const old = await scene.save(main, 'media', 8 * DAY);
    const young = await scene.save(main, 'media', 6 * DAY);
    const stranger = await scene.save(main, 'attic', 80 * DAY);
    const { removed, skipped } = await forgetPoints(scene.duty(FORGET), 'main');
    expect([removed, skipped]).toEqual([[{ repository: 'main', snapshot: old.id }], undefined]);
    expect(await scene.idsIn('main')).toEqual([stranger.id, young.id]);
  });

  test('under a legal hold forgets nothing, and what it has kept when the hold is over', async () => {
    using held = new DutyScene(withMedia({ hold: { reason: 'case 12' } }));
    const main = await held.create('main');
    await held.save(main, 'media', 80 * DAY);
    const young = await held.save(main, 'media', DAY);
    expect((await forgetPoints(held.duty(FORGET), 'main')).removed).toEqual([]);
    expect(await held.idsIn('main')).toHaveLength(2);
    const over = withMedia({ hold: { reason: 'case 12', until: Date.now() - 1 } })(held.policy);
    const duty = held.duty(FORGET);
    await forgetPoints({ ...duty, order: { ...duty.order, policy: over } }, 'main');
    expect(await held.idsIn('main')).toEqual([young.id]);
  });

  test('never forgets the newest good point, however old it is and whatever came after it', async () => {
    using scene = new DutyScene(withMedia({ keep: { last: 2 } }));
    const main = await scene.create('main');
    await scene.save(main, 'media', 60 * DAY);
    const good = await scene.save(main, 'media', 50 * DAY);
    const damaged = await scene.save(main, 'media', 3 * DAY);
    const partial = await scene.save(main, 'media', 2 * DAY, INCOMPLETE_TAG);
    const last = await scene.save(main, 'media', DAY, INCOMPLETE_TAG);
    await forgetPoints(scene.duty(FORGET, [damageOf(damaged.id)]), 'main');
    expect(await scene.idsIn('main')).toEqual([good.id, partial.id, last.id]);
  });

  test('forgets nothing while a snapshot there cannot be read, and says so', async () => {
    using scene = new DutyScene(withMedia({}));
    const main = await scene.create('main');
    const old = await scene.save(main, 'media', 80 * DAY);
    const young = await scene.save(main, 'media', DAY);
    writeFileSync(path.join(scene.pathOf('main'), 'snapshots', 'ab'.repeat(32)), 'torn');
    const { removed, skipped } = await forgetPoints(scene.duty(FORGET), 'main');
    expect(removed).toEqual([]);
    expect(skipped).toContain('media: 1 snapshot there cannot be read');
    expect(scene.snapshotFiles('main')).toEqual(expect.arrayContaining([old.id, young.id]));
  });

  test('forgets nothing while it is not known which points damage touches', async () => {
    using scene = new DutyScene(withMedia({}));
    const main = await scene.create('main');
    const old = await scene.save(main, 'media', 80 * DAY);
    await scene.save(main, 'media', DAY);
    const finding = { ...damageOf(old.id), snapshots: [] };
    expect((await forgetPoints(scene.duty(FORGET, [finding]), 'main')).skipped).toContain('It is damaged.');
    expect(await scene.idsIn('main')).toHaveLength(2);
  });
});

describe('a copy', () => {
  const keeping = (keep: KeepRules) => (policy: Policy) => ({
    ...withMedia({ keep: { for: 30 * DAY } })(policy),
    copies: policy.copies.map((copy) => ({ ...copy, sources: ['media'], keep })),
  });

  test('does not bring back what retention at its target has removed', async () => {
    using scene = new DutyScene(keeping({ daily: 2 }));
    const main = await scene.create('main');
    await scene.create('offsite');
    for (const days of [4, 3, 2, 1]) await scene.save(main, 'media', days * DAY);
    const first = await carryCopy(scene.duty(COPY), COPY.copy);
    expect(first.result.snapshots).toHaveLength(2);
    expect(await scene.idsIn('offsite')).toHaveLength(2);

    const newest = await scene.save(main, 'media', 0);
    const second = await carryCopy(scene.duty(COPY), COPY.copy);
    expect(second.added.map(({ original }) => original)).toContain(newest.id);
    expect(second.result.snapshots).toHaveLength(1);
    const gone = await forgetPoints(scene.duty({ kind: 'forget', repository: 'offsite' }), 'offsite');
    expect(gone.removed).toHaveLength(1);

    const third = await carryCopy(scene.duty(COPY), COPY.copy);
    expect(third.result.snapshots).toEqual([]);
    expect(await scene.idsIn('offsite')).toHaveLength(2);
    expect(await scene.idsIn('main')).toHaveLength(5);
  });

  test('keeps at its target what is gone where it came from', async () => {
    using scene = new DutyScene(keeping({ for: 60 * DAY }));
    const main = await scene.create('main');
    await scene.create('offsite');
    await scene.save(main, 'media', 40 * DAY);
    const young = await scene.save(main, 'media', DAY);
    await carryCopy(scene.duty(COPY), COPY.copy);
    await forgetPoints(scene.duty(FORGET), 'main');
    expect(await scene.idsIn('main')).toEqual([young.id]);
    await carryCopy(scene.duty(COPY), COPY.copy);
    await forgetPoints(scene.duty({ kind: 'forget', repository: 'offsite' }), 'offsite');
    expect(await scene.idsIn('offsite')).toHaveLength(2);
  });
});
