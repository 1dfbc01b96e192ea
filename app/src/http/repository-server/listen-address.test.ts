import { expect, test } from 'vitest';
import { isLocal, parseListenAddress } from './listen-address.ts';

test.each([
  ['127.0.0.1:8000', '127.0.0.1', 8000, true],
  ['localhost:0', 'localhost', 0, true],
  ['[::1]:8000', '::1', 8000, true],
  [':8000', '::', 8000, false],
  ['[::]:8000', '::', 8000, false],
  ['0.0.0.0:8000', '0.0.0.0', 8000, false],
  ['backup.example:443', 'backup.example', 443, false],
  ['127.evil.example:443', '127.evil.example', 443, false],
])('%s listens on %s', (text, host, port, local) => {
  const address = parseListenAddress(text);
  expect(address).toEqual({ kind: 'port', host, port });
  expect(isLocal(address)).toBe(local);
});

test('a socket is for this machine alone', () => {
  const address = parseListenAddress('unix:/run/holdfast.sock');
  expect(address).toEqual({ kind: 'socket', path: '/run/holdfast.sock' });
  expect(isLocal(address)).toBe(true);
});

test.each(['', '8000', 'host', '::1:8000', 'host:99999', 'host:', 'unix:relative'])(
  '%j is no address',
  (text) => {
    expect(() => parseListenAddress(text)).toThrow('no address to listen on');
  },
);
