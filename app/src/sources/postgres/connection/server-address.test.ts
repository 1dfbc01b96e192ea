import { isFailure } from '@holdfast/engine';
import { expect, test } from 'vitest';
import { parseServerUrl, serverAddress, serverName } from './server-address.ts';

const read = (url: string) => serverAddress(parseServerUrl(url));

test('a URL names several hosts, each with its port', () => {
  expect(read('postgres://backup@db-1:5433,db-2,[fd00::1]:5434/shop').hosts).toEqual([
    { name: 'db-1', port: 5433 },
    { name: 'db-2', port: 5432 },
    { name: 'fd00::1', port: 5434 },
  ]);
});

test('what is escaped in a URL is read as it was meant', () => {
  const address = read('postgresql://us%40er:p%3Ass%2Fw@%2Frun%2Fpostgresql/a%20b');
  expect(address).toMatchObject({ user: 'us@er', password: 'p:ss/w', database: 'a b' });
  expect(address.hosts).toEqual([{ name: '/run/postgresql', port: 5432 }]);
});

test('TLS is set as libpq names it', () => {
  const { tls } = read(
    'postgres://u@h/d?sslmode=verify-full&sslrootcert=/etc/ca.pem&sslcert=/c.pem&sslkey=/k.pem',
  );
  expect(tls).toEqual({
    mode: 'verify-full',
    rootCertificate: '/etc/ca.pem',
    certificate: '/c.pem',
    key: '/k.pem',
  });
});

test('of several sources the first that says something is believed', () => {
  const address = serverAddress({ host: 'first' }, { host: 'second', user: 'u' }, { user: 'v', port: '7' });
  expect(address).toMatchObject({ hosts: [{ name: 'first', port: 7 }], user: 'u', database: 'u' });
});

test('a server is named without its password', () => {
  const address = read('postgres://backup:secret@db-1,[fd00::1]:2/shop');
  expect(serverName(address)).toBe('postgres://backup@db-1:5432,[fd00::1]:2/shop');
});

test.each([
  'mysql://u@h/d',
  'postgres://u:%zz@h/d',
  'postgres://u@h/d?sslmode=maybe',
  'postgres://u@h:99999/d',
  'postgres://u@h/d?connect_timeout=soon',
])('%s is refused, and no secret is repeated', (url) => {
  expect(() => read(url)).toThrow(expect.toSatisfy((error) => isFailure(error, 'usage')));
});
