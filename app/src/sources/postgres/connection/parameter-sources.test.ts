import { expect, test } from 'vitest';
import { environmentParameters, passwordFrom, serviceParameters } from './parameter-sources.ts';

const subject = { host: 'db-1', port: 5432, database: 'shop', user: 'backup' };

test('an empty variable says nothing', () => {
  expect(environmentParameters({ PGHOST: 'db-1', PGUSER: '', HOME: '/root' })).toEqual({ host: 'db-1' });
});

test('of a service file only the section of that name counts', () => {
  const file = '# ours\n[other]\nhost=x\n[shop]\nhost = db-1\nsslmode=verify-full\n\n[shop]\nhost=late\n';
  expect(serviceParameters(file, 'shop')).toEqual({ host: 'db-1', sslmode: 'verify-full' });
  expect(serviceParameters(file, 'none')).toBeUndefined();
});

test.each([
  ['db-1:5432:shop:backup:secret', 'secret'],
  ['*:*:*:backup:any', 'any'],
  ['db-2:*:*:*:wrong\ndb-1:*:*:*:right', 'right'],
  ['db-1:5432:replication:backup:for the walsender', 'for the walsender'],
  ['db-1:5432:shop:backup:a\\:b\\\\c', 'a:b\\c'],
  ['#db-1:5432:shop:backup:secret', undefined],
  ['db-1:5433:shop:backup:secret', undefined],
])('%j has the password %j', (file, password) => {
  expect(passwordFrom(file, subject)).toBe(password);
});

test('a socket is localhost to a password file', () => {
  expect(passwordFrom('localhost:*:*:*:secret', { ...subject, host: '/run/postgresql' })).toBe('secret');
});
