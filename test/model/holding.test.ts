import { beforeEach, describe, expect, test } from 'vitest';
import { sha256Id } from '../../engine/src/kernel/hash.ts';
import type { Id } from '../../engine/src/kernel/id.ts';
import { Holding } from './holding.ts';

const first = sha256Id(Buffer.from('first'));
const second = sha256Id(Buffer.from('second'));
const at = 1_000;
let holding: Holding;

beforeEach(() => {
  holding = new Holding((tags) => tags.find((tag) => tag.startsWith('n')));
  holding.save(first, 'n1');
});

function there(...ids: Id[]) {
  return ids.map((id) => ({ id, tags: ['n1'] }));
}

describe('it is noticed', () => {
  test('when what was promised is gone', () => {
    expect(holding.settle([])).toEqual([`snapshot ${first} was promised and is gone`]);
  });

  test('when what was forgotten is there again', () => {
    holding.forget([first], { at, undoable: true });
    expect(holding.settle(there(first))).toEqual([`snapshot ${first} was forgotten and is there again`]);
  });

  test('when something is there that nobody has made', () => {
    expect(holding.settle(there(first, second))).toEqual([`snapshot ${second} came from nowhere`]);
  });

  test('when what restic has promised is not there', () => {
    holding.saveBegun(second.slice(0, 8), 'n1');
    expect(holding.settle(there(first))).toEqual([
      `snapshot ${second.slice(0, 8)}… was promised by restic and is not there`,
    ]);
  });
});

test('what was killed may have happened or not, until it was looked at', () => {
  holding.mayHave(['n1']);
  holding.doubt([first], { at, undoable: true });
  expect(holding.settle(there(second))).toEqual([]);
  expect([...holding.held.keys()]).toEqual([second]);
  expect([...holding.forgotten.keys()]).toEqual([first]);
  expect(holding.settle(there(first, second))).toEqual([
    `snapshot ${first} was forgotten and is there again`,
  ]);
});

test('undoing may fail only when something may have been removed since', () => {
  const forgotten = { name: 'n1', at, undoable: true };
  expect(holding.mayBeGone(forgotten)).toBe(false);
  holding.beginRemoval();
  expect(holding.mayBeGone(forgotten)).toBe(true);
  holding.endRemoval(at + 1);
  expect(holding.mayBeGone(forgotten)).toBe(true);
  expect(holding.mayBeGone({ ...forgotten, at: at + 2 })).toBe(false);
});
