import { expect, test } from 'vitest';
import { auditBooks } from './books.ts';

const books = (numbers: readonly number[], faults: readonly string[] = []) => ({
  orders: new Map(numbers.map((number) => [number, number * 1000])),
  faults,
});
const receipts = { confirmed: new Set([1, 2, 3]), refused: new Set([4]), last: 6 };

test('books that have every confirmed order are as they must be', () => {
  expect(auditBooks(books([1, 2, 3]), receipts)).toEqual({
    found: 3,
    expected: 3,
    newest: 3000,
    differences: [],
  });
});

test('an order whose confirmation never arrived may be there or not', () => {
  expect(auditBooks(books([1, 2, 3, 5]), receipts)).toMatchObject({
    found: 3,
    newest: 3000,
    differences: [],
  });
});

test.each<[what: string, numbers: number[], told: string]>([
  ['a confirmed order that is missing', [1, 3], 'order 2 was confirmed and is not there'],
  ['an order that was refused and is there', [1, 2, 3, 4], 'order 4 is there and was never taken'],
  ['an order that nobody has tried', [1, 2, 3, 7], 'order 7 is there and was never taken'],
])('%s is told by its number', (_, numbers, told) => {
  expect(auditBooks(books(numbers), receipts).differences).toEqual([told]);
});

test('sums that do not add up are told although every order is there', () => {
  const { found, differences } = auditBooks(books([1, 2, 3], ['1 row whose total is wrong']), receipts);
  expect({ found, differences }).toEqual({ found: 3, differences: ['1 row whose total is wrong'] });
});
