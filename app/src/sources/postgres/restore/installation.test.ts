import { expect, test } from 'vitest';
import { libraryNames, needsOf } from './installation.ts';
import { lackingFindings } from './lacking-findings.ts';

test('libraries are read as the server shows its list', () => {
  expect(libraryNames('pg_stat_statements, "odd, name",auto_explain')).toEqual([
    'pg_stat_statements',
    'odd, name',
    'auto_explain',
  ]);
  expect(libraryNames('')).toEqual([]);
});

test('what a base needs is asked for once, and a role that could not see it asks for nothing', () => {
  const database = { name: 'a', collate: 'C', ctype: 'C', provider: 'libc' };
  const plpgsql = { name: 'plpgsql', version: '1.0' };
  const databases = [
    { ...database, extensions: [{ name: 'vector', version: '0.8.0' }, plpgsql] },
    { ...database, name: 'b', extensions: [plpgsql] },
    { ...database, name: 'c' },
  ];
  expect(needsOf({ databases, settings: { shared_preload_libraries: 'pg_cron' } })).toEqual({
    extensions: ['plpgsql', 'vector'],
    libraries: ['pg_cron'],
  });
  expect(needsOf({ databases: undefined, settings: {} })).toEqual({ extensions: [], libraries: [] });
});

test('the package that brings what is missing is named for the version, and each is told once', () => {
  const findings = lackingFindings(
    { extensions: ['pg_cron', 'plpython3u', 'vector', 'ours'], libraries: ['pg_cron'] },
    16,
  );
  expect(findings.map(({ hint }) => hint)).toEqual([
    'Debian: apt-get install postgresql-16-cron',
    'Debian: apt-get install postgresql-plpython3-16',
    'Debian: apt-get install postgresql-16-pgvector',
    'Install what brings ours for PostgreSQL 16.',
  ]);
});
