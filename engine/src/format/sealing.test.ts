import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isFailure } from '../kernel/failure.ts';
import { Authenticator, open, SEAL_OVERHEAD, Sealer, seal } from './sealing.ts';
import type { MasterKey } from './types.ts';

const key: MasterKey = {
  encrypt: Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex'),
  macK: Buffer.from('101112131415161718191a1b1c1d1e1f', 'hex'),
  macR: Buffer.from('0504030201000102030405060708090a', 'hex'),
};

describe('sealing', () => {
  test('what was sealed opens again', () => {
    const sealer = new Sealer(key);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (content) => {
        const sealed = sealer.seal(content);
        expect(sealed.length).toBe(content.length + SEAL_OVERHEAD);
        expect(open(key, sealed).equals(content)).toBe(true);
        expect(sealer.open(seal(key, content)).equals(content)).toBe(true);
      }),
    );
  });

  test('a change of any single bit is noticed', () => {
    const sealed = seal(key, Buffer.from('the last copy'));
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => open(key, changed)).toThrow(expect.objectContaining({ code: 'repository.damaged' }));
    }
  });

  test('no garbage opens, however short', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (garbage) => {
        try {
          open(key, garbage);
          return false;
        } catch (error) {
          return isFailure(error, 'repository.damaged');
        }
      }),
    );
  });

  test('no IV is used twice', () => {
    const sealer = new Sealer(key);
    const ivs = Array.from({ length: 1000 }, () => sealer.seal(Buffer.alloc(1)).toString('hex', 0, 16));
    expect(new Set(ivs).size).toBe(1000);
  });

  test('sealing into a larger buffer leaves the bytes around it alone', () => {
    const target = Buffer.alloc(100, 0xee);
    const written = new Sealer(key).sealInto(Buffer.from('abc'), target, 10);
    expect(written).toBe(3 + SEAL_OVERHEAD);
    expect(open(key, target.subarray(10, 10 + written)).toString()).toBe('abc');
    expect(target.subarray(0, 10).equals(Buffer.alloc(10, 0xee))).toBe(true);
    expect(target.subarray(10 + written).equals(Buffer.alloc(90 - written, 0xee))).toBe(true);
  });
});

describe('the authenticator', () => {
  // The vectors of "The Poly1305-AES message-authentication code" (Bernstein, 2005), appendix B: k, r, n, m, MAC.
  test.each([
    [
      'ec074c835580741701425b623235add6',
      '851fc40c3467ac0be05cc20404f3f700',
      'fb447350c4e868c52ac3275cf9d4327e',
      'f3f6',
      'f4c633c3044fc145f84f335cb81953de',
    ],
    [
      '75deaa25c09f208e1dc4ce6b5cad3fbf',
      'a0f3080000f46400d0c7e9076c834403',
      '61ee09218d29b0aaed7e154a2c5509cc',
      '',
      'dd3fab2251f11ac759f0887129cc2ee7',
    ],
    [
      '6acb5f61a7176dd320c5c1eb2edcdc74',
      '48443d0bb0d21109c89a100b5ce2c208',
      'ae212a55399729595dea458bc621ff0e',
      '663cea190ffb83d89593f3f476b6bc24d7e679107ea26adb8caf6652d0656136',
      '0ee1c16bb73f0f4fd19881753c01cdbe',
    ],
    [
      'e1a5668a4d5b66a5f68cc5424ed5982d',
      '12976a08c4426d0ce8a82407c4f48207',
      '9ae831e743978d3a23527c7128149e3a',
      'ab0812724a7f1e342742cbed374d94d136c6b8795d45b3819830f2c04491faf0990c62e48b8018b2c3e4a0fa3134cb67fa83e158c994d961c4cb21095c1bf9',
      '5154ad0d2cb26e01274fc51148491f1b',
    ],
  ])('gives the published MAC (key %s)', (macK, macR, nonce, message, mac) => {
    const authenticator = new Authenticator({
      encrypt: Buffer.alloc(32),
      macK: Buffer.from(macK, 'hex'),
      macR: Buffer.from(macR, 'hex'),
    });
    expect(authenticator.mac(Buffer.from(nonce, 'hex'), Buffer.from(message, 'hex')).toString('hex')).toBe(
      mac,
    );
  });
});
