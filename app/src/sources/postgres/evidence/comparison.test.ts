import { expect, test } from 'vitest';
import { compareDatabase } from './comparison.ts';
import type { SampledDatabase } from './evidence.ts';

const recorded: SampledDatabase = {
  name: 'shop',
  lsn: '0/15D68C8',
  method: 'slot',
  collate: 'C',
  ctype: 'C',
  extensions: [{ name: 'plpgsql', version: '1.0' }],
  tables: [{ schema: 'public', name: 'orders', rows: '12', content: '345' }],
  leftOut: { unlogged: 0, foreign: 0 },
};
const same = {
  collate: 'C',
  ctype: 'C',
  extensions: recorded.extensions,
  tables: [{ rows: '12', content: '345' }],
  strangers: [],
  overtaken: 0,
};

test('a copy that is the same is told as exact, and nothing else', () => {
  const { verdict, findings } = compareDatabase(recorded, same);
  expect(findings).toEqual([]);
  expect(verdict).toEqual({
    database: 'shop',
    lsn: '0/15D68C8',
    exact: 1,
    sampled: 0,
    different: 0,
    unknown: 0,
    rows: '12',
    tolerance: 0,
  });
});

test('a difference that transactions on their way explain is neither good nor an error', () => {
  const { verdict, findings } = compareDatabase(recorded, {
    ...same,
    tables: [{ rows: '13', content: '346' }],
    overtaken: 2,
  });
  expect(verdict).toMatchObject({ exact: 0, different: 0, unknown: 1, tolerance: 2 });
  expect(findings).toMatchObject([{ severity: 'warning', code: 'evidence.tolerance' }]);
  expect(findings[0]?.message).toMatch(/^12 rows in the original, 13 in the copy; 2 transactions/);
});

test('a table that cannot be read is a difference, unless it is this machine that lacks something', () => {
  const broken = { ...same, tables: [{ failed: 'invalid page in block 3', here: false }] };
  expect(compareDatabase(recorded, broken).findings).toMatchObject([
    { severity: 'error', message: expect.stringMatching(/invalid page in block 3/) },
  ]);
  const foreign = { ...same, tables: [{ failed: 'could not access file "postgis-3"', here: true }] };
  expect(compareDatabase(recorded, foreign).findings).toMatchObject([
    { severity: 'warning', code: 'evidence.unknown' },
  ]);
});

test('a table nobody could count is unknown, with what would help', () => {
  const table = {
    schema: 'public',
    name: 'secret',
    unknown: 'privilege',
    message: 'no',
    hint: 'GRANT it',
  } as const;
  const { verdict, findings } = compareDatabase(
    { ...recorded, tables: [table] },
    { ...same, tables: [undefined] },
  );
  expect(verdict).toMatchObject({ exact: 0, unknown: 1 });
  expect(findings).toMatchObject([{ severity: 'warning', subject: 'shop: public.secret', hint: 'GRANT it' }]);
});

test('another version of an extension, and a table that came from nowhere, are errors', () => {
  const { findings } = compareDatabase(recorded, {
    ...same,
    extensions: [{ name: 'plpgsql', version: '2.0' }],
    strangers: ['public.other'],
  });
  expect(findings.map(({ code, severity }) => [code, severity])).toEqual([
    ['evidence.facts', 'error'],
    ['evidence.stranger', 'error'],
  ]);
});
