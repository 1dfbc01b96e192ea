import { Command } from 'commander';
import { expect, test } from 'vitest';
import { addPackSize, packSizeOf } from './pack-size.ts';

const MIB = 1024 * 1024;

/** What a command that writes takes, typed with these words. */
function chosen(words: readonly string[], environment: Record<string, string> = {}): number | undefined {
  const command = addPackSize(new Command('backup'));
  command.parse(words, { from: 'user' });
  return packSizeOf(command, environment);
}

test('a pack size is a number of MiB: from the option, else from our variable, else from restic’s', () => {
  const both = { HOLDFAST_PACK_SIZE: '32', RESTIC_PACK_SIZE: '64' };
  expect(chosen(['--pack-size', '8'], both)).toBe(8 * MIB);
  expect(chosen([], both)).toBe(32 * MIB);
  expect(chosen([], { ...both, HOLDFAST_PACK_SIZE: '' })).toBe(64 * MIB);
  expect(chosen([])).toBeUndefined();
});

test.each(['3', '129', '16M', '4.5', '-4', 'large'])(
  'a pack size of %s is refused, and it is said what goes',
  (text) => {
    expect(() => chosen([`--pack-size=${text}`])).toThrow('--pack-size goes from 4 to 128 MiB');
    expect(() => chosen([], { RESTIC_PACK_SIZE: text })).toThrow('RESTIC_PACK_SIZE goes from 4 to 128 MiB');
  },
);

test.each(['4', '128'])('%s MiB is still allowed', (text) => {
  expect(chosen(['--pack-size', text])).toBe(Number(text) * MIB);
});

test('a wrong variable does not stop a command that writes nothing', () => {
  expect(packSizeOf(new Command('ls'), { RESTIC_PACK_SIZE: 'large' })).toBeUndefined();
});
