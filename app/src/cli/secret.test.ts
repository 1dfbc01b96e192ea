import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from './secret.ts';

const secret = new Secret('correct horse');

test('a secret is not shown by anything but reveal', () => {
  const shown = [
    `${secret}`,
    JSON.stringify({ secret }),
    inspect({ secret }, { showHidden: true, depth: 9 }),
    JSON.stringify(Object.entries(secret)),
    new Error(`failed with ${secret}`).message,
  ];
  for (const text of shown) expect(text).not.toContain('correct horse');
  expect(secret.reveal()).toBe('correct horse');
});

test('two secrets can be compared without being shown', () => {
  expect(secret.equals(new Secret('correct horse'))).toBe(true);
  expect(secret.equals(new Secret('battery staple'))).toBe(false);
  expect(new Secret('').empty).toBe(true);
});
