import { expect, test } from 'vitest';
import { didNotStart, doesNotRun, isStillTaken } from './failures.ts';

const at = '2026-11-21 18:19:23.567 UTC';

test.each([
  ['53100', 'state.full'],
  ['XX001', 'state.damaged'],
  ['XX000', 'state.damaged'],
  ['58P01', 'state.damaged'],
  ['F0000', 'state.unavailable'],
])('a server that ends with SQLSTATE %s is told as %s', (sqlState, code) => {
  const log = `${at} 00000 LOG:  starting\n${at} ${sqlState} FATAL:  whatever it says\n`;
  expect(didNotStart(log, '/state/database/data')).toMatchObject({
    code,
    subject: '/state/database/data',
  });
});

test('what the server said is passed on, and that it said nothing', () => {
  expect(didNotStart(`${at} F0000 FATAL:  bad setting\n`, '/data').hint).toContain('bad setting');
  expect(didNotStart('', '/data')).toMatchObject({ code: 'state.unavailable', hint: 'It gave no reason.' });
});

test('what is left of a killed server is waited for, and nothing else', () => {
  expect(isStillTaken(`${at} F0001 FATAL:  pre-existing shared memory block is still in use\n`)).toBe(true);
  expect(isStillTaken(`${at} 00000 LOG:  database system is shut down\n`)).toBe(false);
});

test('a program that does not run at all is told as a system that it is not made for', () => {
  expect(doesNotRun({ code: 'ENOENT' }, '/state')).toMatchObject({
    code: 'state.unsupported',
    hint: expect.stringContaining('DATABASE_URL'),
  });
  expect(doesNotRun({ code: 'ENOSPC' }, '/state').code).toBe('state.full');
  expect(doesNotRun({ code: 1, stderr: 'initdb: error\n' }, '/state')).toMatchObject({
    code: 'state.unavailable',
    hint: expect.stringContaining('initdb: error'),
  });
});
