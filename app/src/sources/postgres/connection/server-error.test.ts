import { Failure } from '@holdfast/engine';
import { expect, test } from 'vitest';
import { failureFrom, sqlStateOf } from './server-error.ts';

const coded = (code: string) => Object.assign(new Error('as it may be'), { code });

test('what a server says is told by its SQLSTATE, also behind a failure', () => {
  expect(sqlStateOf(coded('XX001'))).toBe('XX001');
  const failure = failureFrom({ severity: 'FATAL', code: '28P01', message: 'no' }, 'postgres://db-1');
  expect(failure).toMatchObject({ code: 'source.auth' });
  expect(sqlStateOf(failure)).toBe('28P01');
});

test.each(['EPIPE', 'EPERM', 'ECONNRESET'])('%s is of the connection, and no word of the server', (code) => {
  expect(sqlStateOf(coded(code))).toBeUndefined();
  expect(sqlStateOf(new Failure('source.unreachable', 'gone', { cause: coded(code) }))).toBeUndefined();
});
