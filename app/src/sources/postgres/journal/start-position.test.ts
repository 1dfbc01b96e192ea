import { describe, expect, test } from 'vitest';
import { segmentName } from '../wal/segment.ts';
import { continueOn, neededFile, spoolPosition } from './start-position.ts';

const SIZE = 16 * 2 ** 20;
const at = (segments: number) => BigInt(Math.round(segments * SIZE));
const name = (timeline: number, number: number) => segmentName({ timeline, number: BigInt(number) }, SIZE);

describe('where a spool goes on', () => {
  test.each([
    ['nowhere, when it is empty', [], undefined],
    ['behind its last whole segment', [name(1, 3), name(1, 4)], { timeline: 1, lsn: at(5) }],
    ['at the beginning of a partial one', [name(1, 3), `${name(1, 4)}.partial`], { timeline: 1, lsn: at(4) }],
    [
      'on the latest timeline',
      [name(1, 9), '00000002.history', `${name(2, 4)}.partial`],
      { timeline: 2, lsn: at(4) },
    ],
    [
      'on the old one, when of the next there is only the history',
      [name(1, 3), '00000002.history'],
      { timeline: 1, lsn: at(4) },
    ],
  ])('%s', (_where, names, position) => {
    expect(spoolPosition(names, SIZE)).toEqual(position);
    expect(spoolPosition(names.toReversed(), SIZE)).toEqual(position);
  });

  test('is told by one file, which must stay: a partial one rather than the whole one before it', () => {
    const names = [name(1, 3), `${name(1, 4)}.partial`];
    expect(neededFile(names, SIZE)).toBe(`${name(1, 4)}.partial`);
    expect(neededFile(names.toReversed(), SIZE)).toBe(`${name(1, 4)}.partial`);
    expect(neededFile([name(1, 3)], SIZE)).toBe(name(1, 3));
  });
});

describe('how a stream goes on at a server', () => {
  const spool = { timeline: 1, lsn: at(4) };

  test('of the same timeline: where the spool ends', () => {
    expect(continueOn(spool, 1, [], SIZE)).toEqual({ kind: 'continue', at: spool });
  });

  test('that switched behind us: on the old timeline, up to the switch', () => {
    expect(continueOn(spool, 2, [{ timeline: 1, end: at(4.5) }], SIZE)).toEqual({
      kind: 'continue',
      at: spool,
    });
  });

  test('that switched before us: we are ahead, and go on where it switched', () => {
    expect(
      continueOn(
        spool,
        3,
        [
          { timeline: 1, end: at(2.5) },
          { timeline: 2, end: at(8) },
        ],
        SIZE,
      ),
    ).toEqual({
      kind: 'ahead',
      at: { timeline: 2, lsn: at(2) },
      switchedAt: at(2.5),
    });
  });

  test('that switched exactly where we are: on the next timeline, with nothing ahead', () => {
    expect(continueOn(spool, 2, [{ timeline: 1, end: at(4) }], SIZE)).toEqual({
      kind: 'continue',
      at: { timeline: 2, lsn: at(4) },
    });
  });

  test('whose history does not lead through ours, or that is behind: not at all', () => {
    expect(continueOn({ timeline: 2, lsn: at(4) }, 3, [{ timeline: 1, end: at(2) }], SIZE)).toEqual({
      kind: 'diverged',
    });
    expect(continueOn({ timeline: 2, lsn: at(4) }, 1, [], SIZE)).toEqual({ kind: 'behind' });
  });
});
