import { expect, test } from 'vitest';
import { styleFor } from './style.ts';

test('without colour, text is left exactly as it is', () => {
  expect(styleFor({ colour: false }).bad('stopped')).toBe('stopped');
});

test('with colour, a text is painted and the paint ends with it', () => {
  expect(styleFor({ colour: true }).good('done')).toBe('\x1b[32mdone\x1b[39m');
});
