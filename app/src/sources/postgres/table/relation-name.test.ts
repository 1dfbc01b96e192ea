import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseTable, freeName, parseWantedTable, qualified, relationText } from './relation-name.ts';

const there = [
  { schema: 'shop', name: 'orders' },
  { schema: 'shop', name: 'Orders' },
  { schema: 'public', name: 'Items' },
  { schema: 'My.Shop', name: 'a "b"' },
];
const chosen = (text: string) => chooseTable(parseWantedTable(text), there).map(relationText);

describe('a table that is asked for', () => {
  test('is found as SQL reads its name, and as it stands where SQL finds none', () => {
    expect(chosen('SHOP.ORDERS')).toEqual(['shop.orders']);
    expect(chosen('shop."Orders"')).toEqual(['shop.Orders']);
    expect(chosen('public.Items')).toEqual(['public.Items']);
    expect(chosen('items')).toEqual([]);
    expect(chosen('Items')).toEqual(['public.Items']);
    expect(chosen('"My.Shop"."a ""b"""')).toEqual(['"My.Shop".a "b"']);
  });

  test.each(['', '.', 'a.', '.a', 'a.b.c', 'a"b', '""', '"a'])('is refused as %j', (text) => {
    expect(() => parseWantedTable(text)).toThrow(/name of a table|more than a schema/);
  });

  test('whatever its name, can be asked for in quotes', () => {
    const name = fc.string({ minLength: 1, unit: 'grapheme' });
    fc.assert(
      fc.property(name, name, (schema, table) => {
        const relation = { schema, name: table };
        expect(chooseTable(parseWantedTable(qualified(relation)), [relation])).toEqual([relation]);
      }),
    );
  });
});

test('a name ends no statement, whatever is in it', () => {
  expect(qualified({ schema: 'a"; DROP TABLE x; --', name: 'b' })).toBe('"a""; DROP TABLE x; --"."b"');
});

describe('a name that is taken', () => {
  test('gives way to the next that is free', () => {
    expect(freeName('orders_pkey', new Set())).toBe('orders_pkey');
    expect(freeName('orders_pkey', new Set(['orders_pkey', 'orders_pkey_1']))).toBe('orders_pkey_2');
  });

  test('is cut so that the server does not cut it', () => {
    const long = `${'ü'.repeat(31)}x`;
    const free = freeName(long, new Set([long]));
    expect(free).toBe(`${'ü'.repeat(30)}_1`);
    expect(Buffer.byteLength(free)).toBeLessThanOrEqual(63);
  });
});
