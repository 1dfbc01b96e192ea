import { expect, test } from 'vitest';
import { describeTerminal } from './terminal.ts';

const tty = { isTTY: true, columns: 80 };

test.each([
  ['a terminal has colour and redraws', tty, {}, { interactive: true, columns: 80, colour: true }],
  ['a pipe has neither', {}, {}, { interactive: false, columns: 100, colour: false }],
  ['NO_COLOR switches colour off', tty, { NO_COLOR: '1' }, { interactive: true, columns: 80, colour: false }],
  ['an empty NO_COLOR says nothing', tty, { NO_COLOR: '' }, { interactive: true, columns: 80, colour: true }],
  [
    'FORCE_COLOR colours a pipe',
    {},
    { FORCE_COLOR: '1' },
    { interactive: false, columns: 100, colour: true },
  ],
  [
    'FORCE_COLOR wins over NO_COLOR',
    tty,
    { FORCE_COLOR: '1', NO_COLOR: '1' },
    { interactive: true, columns: 80, colour: true },
  ],
  [
    'FORCE_COLOR=0 means no colour',
    tty,
    { FORCE_COLOR: '0' },
    { interactive: true, columns: 80, colour: false },
  ],
  [
    'a dumb terminal is treated like a pipe',
    tty,
    { TERM: 'dumb' },
    { interactive: false, columns: 80, colour: false },
  ],
  [
    'a terminal that says zero columns is not believed',
    { isTTY: true, columns: 0 },
    {},
    { interactive: true, columns: 100, colour: true },
  ],
])('%s', (_name, stream, environment, expected) => {
  expect(describeTerminal(stream, environment)).toEqual(expected);
});
