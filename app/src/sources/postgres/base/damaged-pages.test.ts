import { expect, test } from 'vitest';
import { DamagedPages, damageFailure, damageFindings } from './damaged-pages.ts';

function damaged(...pages: [path: string, ...blocks: number[]][]): DamagedPages {
  const all = new DamagedPages();
  for (const [path, ...blocks] of pages) for (const block of blocks) all.add(path, block);
  return all;
}

test('neighbouring pages are told as a run, and each file for itself', () => {
  const findings = damageFindings(damaged(['base/5/16384', 3, 7, 8, 9], ['global/1262', 0]));
  expect(findings.map(({ severity, subject, message }) => [severity, subject, message])).toEqual([
    ['error', 'base/5/16384', 'pages 3, 7–9 of base/5/16384 have a wrong checksum'],
    ['error', 'global/1262', 'page 0 of global/1262 has a wrong checksum'],
  ]);
});

test('the SQL that names the table knows its database and its tablespace', () => {
  const hints = damageFindings(
    damaged(
      ['base/5/16384.1', 131_072],
      ['pg_tblspc/16400/PG_18_202506291/5/16401_vm', 0],
      ['global/1262', 0],
    ),
  ).map(({ hint }) => hint);
  expect(hints).toEqual([
    'Which table it is: SELECT datname FROM pg_database WHERE oid = 5; and in that database SELECT pg_filenode_relation(0, 16384);',
    'Which table it is: SELECT datname FROM pg_database WHERE oid = 5; and in that database SELECT pg_filenode_relation(16400, 16401);',
    'Which table it is: SELECT pg_filenode_relation(1664, 1262);',
  ]);
});

test('the failure lists every damaged file and says how to take the base all the same', () => {
  const failure = damageFailure(damaged(['base/5/1', 3], ['base/5/2', 4, 5]));
  expect(failure.message).toBe('page 3 of base/5/1 has a wrong checksum, 3 in all');
  expect(failure.hint).toContain('base/5/1: page 3\n');
  expect(failure.hint).toContain('base/5/2: pages 4–5\n');
  expect(failure.hint).toContain('--accept-damage');
});

test('of a disk that is wholly broken the pages are counted and some are named', () => {
  const all = damaged(['base/5/1', ...Array.from({ length: 20_000 }, (_, at) => at * 2)]);
  const findings = damageFindings(all);
  expect(all.count).toBe(20_000);
  expect(findings.at(-1)?.message).toBe('10000 further pages have a wrong checksum');
  expect(JSON.stringify(findings).length).toBeLessThan(1500);
});

test('where there is no damage there is nothing to say', () => {
  expect(damageFindings(damaged())).toEqual([]);
});
