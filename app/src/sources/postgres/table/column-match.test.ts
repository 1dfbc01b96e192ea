import { isFailure } from '@holdfast/engine';
import { expect, test } from 'vitest';
import { columnOf, constraintOf, tableOf } from '../../../testing/table-facts.ts';
import { matchColumns, rowKey } from './column-match.ts';

const to = { schema: 'shop', name: 'orders' };
const then = [
  columnOf('id'),
  columnOf('gone'),
  columnOf('sum', { generated: { expression: '1', stored: true } }),
];

test('values go by name, and what finds no column is said', () => {
  const now = [
    columnOf('new', { notNull: true, default: '1' }),
    columnOf('id', { type: 'bigint' }),
    columnOf('sum'),
  ];
  const { columns, sameTypes, findings } = matchColumns(then, now, to);
  expect(columns).toEqual(['id']);
  expect(sameTypes).toBe(false);
  expect(findings.map(({ code }) => code)).toEqual([
    'table.column-gone',
    'table.column-new',
    'table.column-type',
  ]);
});

test('a column that must have a value and gets none is in the way', () => {
  const now = [
    columnOf('id'),
    columnOf('must', { notNull: true }),
    columnOf('too', { notNull: true, type: 'text' }),
  ];
  const refused = () => matchColumns(then, now, to);
  expect(refused).toThrow('must (integer), too (text)');
  expect(refused).toThrow(expect.toSatisfy((error) => isFailure(error, 'target.mismatch')));
});

test('rows are told apart by the primary key, else by a unique one that is never null and never late', () => {
  const columns = [columnOf('id'), columnOf('a', { notNull: true }), columnOf('b')];
  const key = (kind: string, ...of: string[]) => constraintOf(of.join(), { kind, columns: of });
  const found = (...constraints: ReturnType<typeof key>[]) =>
    rowKey(tableOf({ columns, constraints }), ['id', 'a', 'b']);
  expect(found(key('u', 'a'))).toEqual(['a']);
  expect(found(key('u', 'b'), key('u', 'a', 'b'))).toBeUndefined();
  expect(found({ ...key('u', 'a'), deferrable: true })).toBeUndefined();
  expect(rowKey(tableOf({ columns, constraints: [key('p', 'a')] }), ['id'])).toBeUndefined();
});
