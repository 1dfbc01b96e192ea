import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../kernel/failure.ts';
import { createConfig, decodeConfig, encodeConfig } from './config.ts';

const id = '5956a3f67a6230d4a92cefb29529f10196c7d92582ec305fd71ff6d331d6271b';

describe('a config', () => {
  test('is written as restic writes it', () => {
    expect(encodeConfig({ version: 2, id, chunkerPolynomial: '25b468838dcb75' }).toString()).toBe(
      `{"version":2,"id":"${id}","chunker_polynomial":"25b468838dcb75"}`,
    );
  });

  test('that was created comes back, and is another each time', () => {
    const config = createConfig();
    expect(config.version).toBe(2);
    expect(decodeConfig(encodeConfig(config))).toEqual(config);
    expect(createConfig()).not.toEqual(config);
  });

  test('of a future version is refused by its number', () => {
    expect(() => decodeConfig(Buffer.from('{"version":3}'))).toThrow(
      expect.objectContaining({ code: 'repository.unsupported', message: expect.stringContaining('3') }),
    );
  });

  test.each([
    ['no id', { version: 2, chunker_polynomial: '25b468838dcb75' }],
    ['a reducible polynomial', { version: 2, id, chunker_polynomial: '25b468838dcb74' }],
    ['a polynomial of another degree', { version: 2, id, chunker_polynomial: 'b' }],
    ['no polynomial', { version: 2, id }],
  ])('with %s is damage', (_, config) => {
    expect(() => decodeConfig(Buffer.from(JSON.stringify(config)))).toThrow(
      expect.objectContaining({ code: 'repository.damaged' }),
    );
  });

  test('of garbage is told, never a crash', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          try {
            decodeConfig(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(Failure);
          }
        },
      ),
    );
  });
});
