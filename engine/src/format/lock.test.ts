import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../kernel/failure.ts';
import { decodeLock, encodeLock } from './lock.ts';
import type { LockFile } from './types.ts';

const lock: LockFile = {
  time: '2026-11-21T18:01:51.050329865+07:00',
  exclusive: true,
  hostname: 'nas',
  username: 'backup',
  pid: 4711,
  uid: 1000,
  gid: 100,
};

describe('a lock file', () => {
  test('is written as restic writes it', () => {
    expect(encodeLock(lock).toString()).toBe(
      '{"time":"2026-11-21T18:01:51.050329865+07:00","exclusive":true,"hostname":"nas","username":"backup",' +
        '"pid":4711,"uid":1000,"gid":100}',
    );
    expect(encodeLock({ ...lock, exclusive: false, username: '', uid: 0, gid: 0 }).toString()).toBe(
      '{"time":"2026-11-21T18:01:51.050329865+07:00","exclusive":false,"hostname":"nas","username":"","pid":4711}',
    );
  });

  test('comes back as it was', () => {
    expect(decodeLock(encodeLock(lock))).toEqual(lock);
  });

  test('without a time is damage, since nobody could tell its age', () => {
    expect(() => decodeLock(Buffer.from('{"exclusive":true}'))).toThrow(
      expect.objectContaining({ code: 'repository.damaged' }),
    );
  });

  test('of garbage is told, never a crash', () => {
    const field = fc.constantFrom('time', 'exclusive', 'hostname', 'pid', 'uid');
    fc.assert(
      fc.property(fc.dictionary(field, fc.jsonValue()), (json) => {
        try {
          decodeLock(Buffer.from(JSON.stringify({ time: lock.time, ...json })));
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }),
    );
  });
});
