import { isFailure } from '@holdfast/engine';
import { expect, test } from 'vitest';
import { splitCommand } from './command-words.ts';

test.each([
  ['pass show backup', ['pass', 'show', 'backup']],
  ['  pass\tshow\n ', ['pass', 'show']],
  [`pass "my backup" 'of all'`, ['pass', 'my backup', 'of all']],
  [`sh -c "echo 'a b'"`, ['sh', '-c', "echo 'a b'"]],
  ['a"b"c', ['a', 'b', 'c']],
  ['a "" b', ['a', 'b']],
  ['C:\\bin\\tool', ['C:', 'bin', 'tool']],
  ['"C:\\bin\\tool"', ['C:\\bin\\tool']],
  ['"a\\"b"', ['a\\"b']],
  ['say \\"hi', ['say', '"hi']],
])('%j is split as restic does', (command, words) => {
  expect(splitCommand(command)).toEqual(words);
});

test.each([['"open'], ["it's"], [''], ['   ']])('%j is refused', (command) => {
  expect(() => splitCommand(command)).toThrow(expect.toSatisfy((error) => isFailure(error, 'usage')));
});
