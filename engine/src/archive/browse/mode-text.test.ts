import { expect, test } from 'vitest';
import { modeText } from './mode-text.ts';

test.each([
  ['file', 0o640, '-rw-r-----'],
  ['file', 0o4755, 'urwxr-xr-x'],
  ['file', 0o2755, 'grwxr-xr-x'],
  ['dir', 0o755, 'drwxr-xr-x'],
  ['dir', 0o1777, 'dtrwxrwxrwx'],
  ['symlink', 0o777, 'Lrwxrwxrwx'],
  ['dev', 0o660, 'Drw-rw----'],
  ['chardev', 0o644, 'Dcrw-r--r--'],
  ['fifo', 0o644, 'prw-r--r--'],
  ['socket', 0o755, 'Srwxr-xr-x'],
  ['irregular', 0, '?---------'],
] as const)('a %s of mode %o is shown as restic shows it', (type, mode, shown) => {
  expect(modeText({ type, mode })).toBe(shown);
});
