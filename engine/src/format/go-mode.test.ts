import fc from 'fast-check';
import { expect, test } from 'vitest';
import { goModeOf, modeFromGo } from './go-mode.ts';

// As restic stores them: a directory 0755, a sticky one 1777, a setuid file 4755, a link, /dev/null, a FIFO.
test.each([
  ['dir', 0o755, 2147484141],
  ['dir', 0o1777, 2148532735],
  ['file', 0o644, 420],
  ['file', 0o4755, 8389101],
  ['file', 0o2755, 4194797],
  ['symlink', 0o777, 134218239],
  ['chardev', 0o666, 69206454],
  ['dev', 0o660, 67109296],
  ['fifo', 0o644, 33554852],
  ['socket', 0o755, 16777709],
] as const)('a %s with mode %o is %d in Go', (type, mode, goMode) => {
  expect(goModeOf(type, mode)).toBe(goMode);
  expect(modeFromGo(goMode)).toBe(mode);
});

test('all twelve bits survive for every type', () => {
  const types = fc.constantFrom(
    'file',
    'dir',
    'symlink',
    'dev',
    'chardev',
    'fifo',
    'socket',
    'irregular' as const,
  );
  fc.assert(
    fc.property(types, fc.integer({ min: 0, max: 0o7777 }), (type, mode) => {
      expect(modeFromGo(goModeOf(type, mode))).toBe(mode);
    }),
  );
});
