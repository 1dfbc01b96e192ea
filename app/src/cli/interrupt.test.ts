import { EventEmitter } from 'node:events';
import { isFailure } from '@holdfast/engine';
import { expect, test } from 'vitest';
import { listenForInterrupts } from './interrupt.ts';

function listen() {
  const source = new EventEmitter();
  const exits: number[] = [];
  const signal = listenForInterrupts(source, (code) => exits.push(code));
  return { source, exits, signal };
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('%s asks the work to stop', (name) => {
  const { source, exits, signal } = listen();
  source.emit(name);
  expect(isFailure(signal.reason, 'interrupted')).toBe(true);
  expect(exits).toEqual([]);
});

test('the second Ctrl-C ends at once with 130', () => {
  const { source, exits } = listen();
  source.emit('SIGINT');
  source.emit('SIGINT');
  expect(exits).toEqual([130]);
});
