import { expect, test } from 'vitest';
import { includesOf, isIncludedName } from './include-directives.ts';

test('files and directories that postgresql.conf brings in are found where they lie', () => {
  const text = [
    "include_dir = 'conf.d'   # as Debian has it",
    'include /etc/shared.conf',
    "Include_If_Exists 'it''s.conf'",
    "# include 'not.conf'",
    "included = 'no directive'",
    "shared_preload_libraries = 'include x'",
  ].join('\n');
  expect(includesOf('/etc/postgresql/16/main/postgresql.conf', text)).toEqual([
    { kind: 'directory', path: '/etc/postgresql/16/main/conf.d' },
    { kind: 'file', path: '/etc/shared.conf' },
    { kind: 'file', path: "/etc/postgresql/16/main/it's.conf" },
  ]);
});

test('pg_hba.conf names files of names with an @, which passwords and realms are not', () => {
  const text = [
    'host @databases,shop @"the admins" samenet scram-sha-256 # @nobody',
    'include ../shared/hba.conf',
    'map someone@example.com admin',
  ].join('\r\n');
  expect(includesOf('/etc/pg/pg_hba.conf', text).map(({ path }) => path)).toEqual([
    '/etc/pg/databases',
    '/etc/pg/the admins',
    '/etc/shared/hba.conf',
  ]);
});

test('of a directory only what ends with .conf is included, and nothing hidden', () => {
  expect(['10-mem.conf', '.hidden.conf', 'notes.txt', 'a.conf~'].filter(isIncludedName)).toEqual([
    '10-mem.conf',
  ]);
});
