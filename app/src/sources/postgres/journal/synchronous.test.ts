import { describe, expect, test } from 'vitest';
import { synchronousFinding } from './synchronous.ts';

const found = (names: string, commit = 'on') => synchronousFinding({ names, commit }, 'holdfast_a');

describe('whether a server waits for us', () => {
  test.each([
    'holdfast_a',
    'HOLDFAST_A',
    'other, holdfast_a',
    '*',
    '2 (one, holdfast_a)',
    'FIRST 1 (holdfast_a, other)',
    'ANY 1 (other, "holdfast_a")',
    'any 1 ("with "" quote", holdfast_a)',
  ])('it does with %s', (names) => {
    expect(found(names)).toBeUndefined();
  });

  test.each(['', 'holdfast', 'ANY 1 (holdfast_b)', 'FIRST 1 ("holdfast_a2")'])(
    'it does not with "%s", and the finding has the line to paste',
    (names) => {
      expect(found(names)).toMatchObject({
        code: 'journal.not-synchronous',
        hint: expect.stringContaining("SET synchronous_standby_names = 'holdfast_a'"),
      });
    },
  );

  test('commits that wait for nobody, or for ever, are told', () => {
    for (const commit of ['off', 'local']) {
      expect(found('*', commit)?.code).toBe('journal.not-synchronous');
    }
    expect(found('*', 'remote_apply')?.code).toBe('journal.never-applies');
    for (const commit of ['on', 'remote_write']) expect(found('*', commit)).toBeUndefined();
  });
});
