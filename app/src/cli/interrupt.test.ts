import { EventEmitter } from 'node:events';
import { isFailure } from '@holdfast/engine';
import { expect, test } from 'vitest';
import { listenForInterrupts } from './interrupt.ts';

function listen() {
  const source = new EventEmitter();
  const said: string[] = [];
  const exits: number[] = [];
  const signal = listenForInterrupts(source, {
    announce: (text) => said.push(text),
    exit: (code) => exits.push(code),
  });
  return { source, said, exits, signal };
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('%s asks the work to stop and says so', (name) => {
  const { source, said, exits, signal } = listen();
  source.emit(name);
  expect(isFailure(signal.reason, 'interrupted')).toBe(true);
  expect(said).toHaveLength(1);
  expect(exits).toEqual([]);
});

test('the second Ctrl-C ends at once with 130', () => {
  const { source, said, exits } = listen();
  source.emit('SIGINT');
  source.emit('SIGINT');
  expect(exits).toEqual([130]);
  expect(said).toHaveLength(1);
});
