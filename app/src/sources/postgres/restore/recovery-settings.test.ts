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

test('without a target the end of the WAL is the target, whatever the server’s own configuration still says', () => {
  const settings = recoverySettings({ walDirectory, target: { kind: 'latest' }, action: 'pause' });
  const [, , ...targets] = settings;
  expect(targets).toHaveLength(5);
  expect(targets.every(([name, value]) => name.startsWith('recovery_target') && value === '')).toBe(true);
});

test('an earlier target is taken back before ours is set: the other way round would forget ours', () => {
  const settings = recoverySettings({ walDirectory, target: { kind: 'lsn', lsn: 1n }, action: 'promote' });
  const targets = settings.filter(([name]) => /^recovery_target(_name|_time|_xid|_lsn)?$/.test(name));
  expect(targets.map(([, value]) => value)).toEqual(['', '', '', '', '0/1']);
});
