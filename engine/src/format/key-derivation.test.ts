import { describe, expect, test } from 'vitest';
import { calibrate, deriveKey, type KdfParameters } from './key-derivation.ts';

describe('deriving a key', () => {
  test('gives the bytes of RFC 7914', async () => {
    const key = await deriveKey('pleaseletmein', Buffer.from('SodiumChloride'), { N: 16384, r: 8, p: 1 });
    expect(Buffer.concat([key.encrypt, key.macK, key.macR]).toString('hex')).toBe(
      '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2' +
        'd5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
    );
  });
});

describe('calibrating', () => {
  test.each([
    ['a fast machine fills the time with rounds', 70, { N: 32768, r: 8, p: 7 }],
    ['a machine that needs all the time takes one round', 500, { N: 32768, r: 8, p: 1 }],
    ['a slow machine uses less memory', 700, { N: 16384, r: 8, p: 1 }],
    ['a very slow machine still derives a decent key', 60_000, { N: 16384, r: 8, p: 1 }],
  ])('%s', async (_, millisecondsA32768, expected) => {
    expect(await calibrate(...machine(() => millisecondsA32768))).toEqual(expected);
  });

  test('a first round that was too quick is corrected', async () => {
    let rounds = 0;
    expect(await calibrate(...machine(() => (rounds++ === 0 ? 10 : 100)))).toEqual({ N: 32768, r: 8, p: 5 });
  });
});

/** A clock that only deriving moves, by `cost()` milliseconds for each 32768 blocks. */
function machine(cost: () => number): [{ now(): number }, (parameters: KdfParameters) => Promise<void>] {
  let time = 0;
  const derive = async ({ N, p }: KdfParameters) => {
    time += (cost() * N * p) / 32768;
  };
  return [{ now: () => time }, derive];
}
