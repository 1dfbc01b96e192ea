import { expect, test } from 'vitest';
import type { StoredSnapshot } from '../../format/types.ts';
import { sha256Id } from '../../kernel/hash.ts';
import { testSnapshot } from '../../testing/memory-repository.ts';
import { describeCopy, KnownCopies } from './snapshot-copy.ts';

const [first, second, third] = ['first', 'second', 'third'].map((text) => sha256Id(Buffer.from(text)));

function stored(changes: Partial<StoredSnapshot> = {}): StoredSnapshot {
  return { ...testSnapshot({ tags: ['a', 'b'], ...changes }), id: first as never, ...changes };
}

test('a copy keeps all that a snapshot says, but for its parent, and tells where it comes from', () => {
  const { id, ...said } = stored();
  expect(describeCopy({ ...said, id, parent: second as never })).toEqual({ ...said, original: id });
});

test('a copy of a copy tells of the first', () => {
  expect(describeCopy(stored({ original: third as never })).original).toBe(third);
});

test.each([
  ['a copy', { id: second, original: first }],
  ['the same file', {}],
  ['a copy with its tags in another order', { id: second, original: first, tags: ['b', 'a'] }],
  [
    'a copy whose time is written differently',
    { id: second, original: first, time: '2026-11-20T11:00:00+01:00' },
  ],
] as [string, Partial<StoredSnapshot>][])('%s is recognised', (_, there) => {
  const known = new KnownCopies([stored({ tree: third as never }), stored(there)]);
  expect(known.find(stored())).toMatchObject(there);
});

test.each([
  ['of another origin', { id: second, original: third }],
  ['that was tagged since', { id: second, original: first, tags: ['a'] }],
  ['with other paths', { id: second, original: first, paths: ['/elsewhere'] }],
] as [string, Partial<StoredSnapshot>][])('one %s is another one', (_, there) => {
  expect(new KnownCopies([stored(there)]).find(stored())).toBeUndefined();
});
