import { expect, test } from 'vitest';
import { formatSftpAddress, parseSftpAddress } from './address.ts';

test.each([
  ['user@host:/srv/backup', { user: 'user', host: 'host', path: '/srv/backup' }],
  ['host:/srv/backup/', { host: 'host', path: '/srv/backup' }],
  ['host:backup', { host: 'host', path: 'backup' }],
  ['host:', { host: 'host', path: '.' }],
  ['host:a:b', { host: 'host', path: 'a:b' }],
  ['user@domain@host:backup', { user: 'user@domain', host: 'host', path: 'backup' }],
  ['user@[::1]:/srv', { user: 'user', host: '::1', path: '/srv' }],
  ['//user@host:2222//srv/backup', { user: 'user', host: 'host', port: 2222, path: '/srv/backup' }],
  ['//host//srv', { host: 'host', path: '/srv' }],
  ['//host/backup', { host: 'host', path: 'backup' }],
  [
    '//user%40domain@[fe80::1%eth0]:22//srv',
    { user: 'user@domain', host: 'fe80::1%eth0', port: 22, path: '/srv' },
  ],
  ['//host//srv/./a//b/../c', { host: 'host', path: '/srv/a/c' }],
])('sftp:%s is understood, and written so that it is understood again', (rest, place) => {
  expect(parseSftpAddress(rest)).toEqual(place);
  const formatted = formatSftpAddress(place);
  expect(parseSftpAddress(formatted.slice('sftp:'.length))).toEqual(place);
});

test.each([
  '',
  'host',
  ':/srv',
  '/srv',
  '//host',
  '//host:port//srv',
  '//host:0//srv',
  '//host:70000//srv',
  '//%E0%A4%A@host//srv',
  'host:~/backup',
  '//host/~backup',
])('sftp:%s is no address', (rest) => {
  expect(() => parseSftpAddress(rest)).toThrow(expect.objectContaining({ code: 'usage' }));
});

test.each(['-oProxyCommand=touch /tmp/x:/srv', '//-oProxyCommand=x//srv', '-x@host:/srv', 'ho\nst:/srv'])(
  'nothing in an address is an option of ssh: %j',
  (rest) => {
    expect(() => parseSftpAddress(rest)).toThrow(expect.objectContaining({ code: 'usage' }));
  },
);
