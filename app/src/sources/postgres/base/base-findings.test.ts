import { expect, test } from 'vitest';
import { baseFindings } from './base-findings.ts';

const configuration = { located: true, files: [], unreadable: [], settings: '' };
const knowledge = { databases: [], configuration, standby: false };
const facts = { role: 'backup', knowledge, holdsConfiguration: true };

test('a base that brings everything back has nothing to say', () => {
  expect(baseFindings(facts)).toEqual([]);
  expect(baseFindings({ ...facts, knowledge: undefined })).toEqual([]);
});

test('configuration that may not be read is told with the grant, in which names are quoted', () => {
  const unreadable = {
    ...knowledge,
    configuration: { ...configuration, unreadable: ['/etc/pg/pg_hba.conf'] },
  };
  const [finding] = baseFindings({ ...facts, role: 'b"x', knowledge: unreadable });
  expect(finding).toMatchObject({ severity: 'warning', subject: '/etc/pg/pg_hba.conf' });
  expect(finding?.hint).toContain('GRANT pg_read_all_settings, pg_read_server_files TO "b""x";');
});

test('whoever may not see where it lies is told when it did not come with the data', () => {
  const hidden = { ...knowledge, configuration: { ...configuration, located: false } };
  expect(baseFindings({ ...facts, knowledge: hidden })).toEqual([]);
  expect(baseFindings({ ...facts, knowledge: hidden, holdsConfiguration: false })).toHaveLength(1);
  const [silent] = baseFindings({ ...facts, knowledge: undefined, holdsConfiguration: false });
  expect(silent?.hint).toContain('holdfast files backup');
});

test('unlogged tables are named, and many of them counted', () => {
  const unloggedTables = ['cart', 'seen', 'a', 'b', 'c', 'd', 'e'];
  const shop = { name: 'shop', collate: 'C', ctype: 'C', provider: 'libc', unloggedTables };
  expect(baseFindings({ ...facts, knowledge: { ...knowledge, databases: [shop] } })).toMatchObject([
    { severity: 'note', message: 'unlogged tables of shop come back empty: cart, seen, a, b, c and 2 more' },
  ]);
});
