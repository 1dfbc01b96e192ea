import { describe, expect, test } from 'vitest';
import { figuresOf, idOf, snapshotOf } from '../testing/snapshots.ts';
import { INCOMPLETE_TAG, sourceOf, sourceTags } from './labels.ts';
import { pointOf, pointsOf } from './point-of.ts';

const OURS = sourceTags('shop', 'media');

describe('a snapshot in the catalog', () => {
  test('is told by its tags, its time and its figures', () => {
    const snapshot = snapshotOf('1a', { tags: OURS, summary: figuresOf() });
    expect(pointOf('main', snapshot)).toEqual({
      repository: 'main',
      snapshot: idOf('1a'),
      original: idOf('1a'),
      source: 'media',
      kind: 'snapshot',
      time: Date.parse('2026-11-21T10:44:00.123Z'),
      bytes: 118_000_000,
      added: 22_900_000,
      complete: true,
    });
  });

  test('that is a copy has the name of the first one', () => {
    expect(pointOf('main', snapshotOf('1a', { tags: OURS, original: idOf('2b') }))).toMatchObject({
      snapshot: idOf('1a'),
      original: idOf('2b'),
    });
  });

  test('without figures, as an older restic leaves it, has none', () => {
    expect(pointOf('main', snapshotOf('1a', { tags: OURS }))).toMatchObject({ bytes: 0, added: 0 });
  });

  test('of which something could not be read is not complete', () => {
    const tags = [...OURS, INCOMPLETE_TAG];
    expect(pointOf('main', snapshotOf('1a', { tags }))?.complete).toBe(false);
  });

  test.each([
    [['postgres', 'base'], 'base'],
    [['postgres', 'evidence'], 'evidence'],
    [['journal', 'postgres', 'slice'], 'slice'],
    [['journal', 'postgres', 'day'], 'slice'],
    [['postgres'], 'snapshot'],
    [['base'], 'snapshot'],
    [[], 'snapshot'],
  ])('with the tags %j is a %s', (tags, kind) => {
    expect(pointOf('main', snapshotOf('1a', { tags: [...OURS, ...tags] }))?.kind).toBe(kind);
  });

  test('is none when no policy has taken it', () => {
    const ours = snapshotOf('1a', { tags: OURS });
    expect(pointsOf('main', [snapshotOf('2b', { tags: ['stack:shop'] }), ours])).toHaveLength(1);
  });
});

test('the tags that name a source are read again as they were written', () => {
  expect(sourceOf(sourceTags('shop', 'media: all'))).toBe('media: all');
  expect(sourceOf(['stack:shop', 'resource:media'])).toBeUndefined();
});
