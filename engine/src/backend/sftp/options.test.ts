import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sftpOptions } from './options.ts';
import { splitWords } from './words.ts';

const place = { user: 'backup', host: 'host', port: 2222, path: '/srv' };

function read(given: Record<string, string>) {
  return sftpOptions(place, { extended: new Map(Object.entries(given)), environment: {} });
}

test('ssh never asks anybody, whatever is said, and the host comes where no option can', () => {
  const { command } = read({ 'sftp.args': `-i '/a key' -oBatchMode=no`, 's3.region': 'eu' });
  expect(command.indexOf('-oBatchMode=yes')).toBeLessThan(command.indexOf('-oBatchMode=no'));
  expect(command).toContain('/a key');
  expect(command.slice(-8)).toEqual(['-p', '2222', '-l', 'backup', '-s', '--', 'host', 'sftp']);
  expect(command.join(' ')).not.toContain('StrictHostKeyChecking');
});

test('a command is run as it stands', () => {
  expect(read({ 'sftp.command': 'ssh -4 "my host" -s sftp' }).command).toEqual([
    'ssh',
    '-4',
    'my host',
    '-s',
    'sftp',
  ]);
});

test.each([
  { 'sftp.comand': 'x' },
  { 'sftp.command': ' ' },
  { 'sftp.command': 'ssh', 'sftp.args': '-4' },
  { 'sftp.args': `'open` },
  { 'sftp.connections': '0' },
  { 'sftp.connections': 'many' },
  { 'sftp.timeout': '1.5' },
])('%j is refused', (given) => {
  expect(() => read(given as Record<string, string>)).toThrow(expect.objectContaining({ code: 'usage' }));
});

test('connections and patience can be set', () => {
  expect(read({ 'sftp.connections': '2', 'sftp.timeout': '5' })).toMatchObject({
    connections: 2,
    timeout: 5000,
  });
});

test('any words come back when they are quoted and split', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (words) => {
      const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
      expect(splitWords(quoted)).toEqual(words);
    }),
  );
  expect(splitWords(String.raw`a\ b "c \" d" ''`)).toEqual(['a b', 'c " d', '']);
});
