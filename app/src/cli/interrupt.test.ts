import { EventEmitter } from 'node:events';
import { isFailure } from '@holdfast/engine';
import { expect, test } from 'vitest';
import { listenForInterrupts } from './interrupt.ts';

function listen(terminal: { atStart: boolean; later: boolean } = { atStart: true, later: true }) {
  const source = new EventEmitter();
  const exits: number[] = [];
  let started = false;
  const signal = listenForInterrupts(source, {
    exit: (code) => exits.push(code),
    hasTerminal: () => (started ? terminal.later : terminal.atStart),
  });
  started = true;
  return { source, exits, signal };
}

test.each(['SIGINT', 'SIGTERM'])('%s asks the work to stop', (name) => {
  const { source, exits, signal } = listen();
  source.emit(name);
  expect(isFailure(signal.reason, 'interrupted')).toBe(true);
  expect(exits).toEqual([]);
});

test('a terminal that went away asks the work to stop', () => {
  const { source, signal } = listen({ atStart: true, later: false });
  source.emit('SIGHUP');
  expect(isFailure(signal.reason, 'interrupted')).toBe(true);
});

test('a hang-up while the terminal is there, or where there never was one, is only a question', () => {
  for (const terminal of [
    { atStart: true, later: true },
    { atStart: false, later: false },
  ]) {
    const { source, exits, signal } = listen(terminal);
    source.emit('SIGHUP');
    source.emit('SIGHUP');
    expect(signal.aborted).toBe(false);
    expect(exits).toEqual([]);
  }
});

test('the second Ctrl-C ends at once with 130', () => {
  const { source, exits } = listen();
  source.emit('SIGINT');
  source.emit('SIGINT');
  expect(exits).toEqual([130]);
});
