import { expect, test } from 'vitest';
import { configurationLines, recoverySettings } from './recovery-settings.ts';

const walDirectory = "/srv/it's 100% wal";

test('a moment is given in microseconds and never later than it was asked for', () => {
  const instant = Temporal.Instant.from('2026-11-21T10:44:07.311999999+07:00');
  const settings = recoverySettings({ walDirectory, target: { kind: 'time', instant }, action: 'promote' });
  expect(new Map(settings).get('recovery_target_time')).toBe('2026-11-21 03:44:07.311999+00');
});

test('the command that fetches WAL survives any name of a directory', () => {
  const [first] = recoverySettings({ walDirectory, target: { kind: 'latest' }, action: 'promote' });
  expect(first).toEqual(['restore_command', `cp '/srv/it'\\''s 100%% wal/'%f "%p"`]);
});

test('quotes in a value are doubled', () => {
  expect(configurationLines([['recovery_target_name', "o'clock"]])).toBe(
    "recovery_target_name = 'o''clock'\n",
  );
});

test('without a target the end of the WAL is the target, and nothing is said of stopping there', () => {
  const settings = recoverySettings({ walDirectory, target: { kind: 'latest' }, action: 'pause' });
  expect(settings.map(([name]) => name)).toEqual(['restore_command', 'recovery_target_timeline']);
});
