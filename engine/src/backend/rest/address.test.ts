import { expect, test } from 'vitest';
import { isFailure } from '../../kernel/failure.ts';
import { NO_SETTINGS } from '../settings.ts';
import { formatRestAddress, parseRestAddress } from './address.ts';
import { restOptions } from './options.ts';

test.each([
  ['https://backup.example:8000/anna/', 'https://backup.example:8000', '/anna/'],
  ['https://backup.example:8000/anna', 'https://backup.example:8000', '/anna/'],
  ['https://backup.example', 'https://backup.example', '/'],
  ['http://[::1]:8000/a%20b/', 'http://[::1]:8000', '/a%20b/'],
])('%s is a folder on a server', (text, origin, path) => {
  expect(parseRestAddress(text)).toEqual({ origin, path });
});

test('a socket is written as restic does', () => {
  const place = parseRestAddress('http+unix:///run/my%20backup.sock:/anna/');
  expect(place).toEqual({ origin: 'http://localhost', socket: '/run/my backup.sock', path: '/anna/' });
  expect(parseRestAddress('http+unix:///run/backup.sock')).toMatchObject({
    socket: '/run/backup.sock',
    path: '/',
  });
});

test('a login in the address is understood, and never shown', () => {
  const place = parseRestAddress('https://anna:se%3Acr%C3%A9t@backup.example/anna/');
  expect(place.login).toEqual({ username: 'anna', password: 'se:crét' });
  expect(formatRestAddress(place)).toBe('rest:https://backup.example/anna/');
});

test('a login in the address comes before that of the environment', () => {
  const settings = { ...NO_SETTINGS, restLogin: { username: 'env', password: 'env' } };
  const login = (text: string) => restOptions(parseRestAddress(text), settings).login?.username;
  expect(login('https://anna:x@host/')).toBe('anna');
  expect(login('https://host/')).toBe('env');
});

test.each([
  '',
  'backup.example/anna',
  'ftp://anna:secret@host/',
  'https://anna:secret@host/?x=1',
  'https://anna:secret@host/#x',
  'http+unix://anna:secret@host/sock',
  'https://anna:%zz-secret@host/',
])('%j is refused without repeating what may be secret', (text) => {
  try {
    parseRestAddress(text);
    expect.unreachable();
  } catch (error) {
    expect(isFailure(error, 'usage')).toBe(true);
    expect(String(error)).not.toContain('secret');
  }
});

test.each([
  ['rest.connections', '0'],
  ['rest.connections', 'many'],
  ['rest.timeout', '0'],
  ['rest.colour', 'red'],
])('-o %s=%s is refused', (name, value) => {
  const settings = { ...NO_SETTINGS, extended: new Map([[name, value]]) };
  expect(() => restOptions(parseRestAddress('https://host/'), settings)).toThrow(`-o ${name} is`);
});
