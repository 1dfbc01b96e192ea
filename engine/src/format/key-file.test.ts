import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../kernel/failure.ts';
import { createKeyFile, decodeKeyFile, openKeyFile, randomMasterKey } from './key-file.ts';

const quick = { N: 16, r: 8, p: 1 };
const meta = { created: '2026-11-21T12:00:00.5+07:00', username: 'root', hostname: 'nas' };

describe('a key file', () => {
  test('gives the master key to its password, and to no other', async () => {
    const masterKey = randomMasterKey();
    const file = await createKeyFile(masterKey, 'corréct horse', quick, meta);
    const opened = await openKeyFile(file, Buffer.from('corréct horse'));
    expect(opened).toEqual(masterKey);
    expect(await openKeyFile(file, 'correct horse')).toBeUndefined();
  });

  test('has the fields of restic, in its order', async () => {
    const file = await createKeyFile(randomMasterKey(), 'secret', quick, meta);
    expect(file.toString()).toMatch(
      /^\{"created":"2026-11-21T12:00:00\.5\+07:00","username":"root","hostname":"nas","kdf":"scrypt","N":16,"r":8,"p":1,"salt":"[^"]{88}","data":"[^"]{200,}"\}$/,
    );
    expect(decodeKeyFile(file)).toMatchObject({ ...meta, ...quick });
  });

  test.each([
    { N: 2 ** 30, r: 8, p: 1 },
    { N: 2 ** 17, r: 8, p: 1000 },
    { N: 1000, r: 8, p: 1 },
    { N: 0, r: 8, p: 1 },
    { N: 16, r: 0, p: 1 },
    { N: 16, r: 8, p: 0 },
    { N: 2, r: 2 ** 40, p: 1 },
  ])('that asks for unreasonable work is refused: $N, $r, $p', async (parameters) => {
    const file = await createKeyFile(randomMasterKey(), 'secret', quick, meta);
    const forged = Buffer.from(JSON.stringify({ ...JSON.parse(file.toString()), ...parameters }));
    await expect(openKeyFile(forged, 'secret')).rejects.toMatchObject({ code: 'repository.unsupported' });
  });

  test('with another derivation than scrypt is refused by name', () => {
    expect(() => decodeKeyFile(Buffer.from('{"kdf":"argon2"}'))).toThrow(/argon2/);
  });

  test('that is garbage is told, never a crash', () => {
    const field = fc.oneof(fc.jsonValue(), fc.base64String());
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .record({ kdf: fc.constant('scrypt'), N: field, r: field, p: field, salt: field, data: field })
        .map((record) => Buffer.from(JSON.stringify(record))),
    );
    fc.assert(
      fc.property(garbage, (bytes) => {
        try {
          decodeKeyFile(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }),
    );
  });
});

test('a new master key has the bits cleared that Poly1305 ignores', () => {
  const clamp = Buffer.from('ffffff0ffcffff0ffcffff0ffcffff0f', 'hex');
  for (let round = 0; round < 50; round++) {
    for (const [at, byte] of randomMasterKey().macR.entries()) {
      expect(byte & ~(clamp[at] ?? 0)).toBe(0);
    }
  }
});
