import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { recordedContext } from '../testing/context.ts';
import { secretPrompt } from './password-prompt.ts';

function terminal() {
  const modes: boolean[] = [];
  const keyboard = Object.assign(new PassThrough(), { setRawMode: (raw: boolean) => modes.push(raw) });
  const context = recordedContext();
  const controller = new AbortController();
  const ask = secretPrompt(keyboard, context.stderr, () => controller.abort(new Error('interrupted')));
  return { modes, keyboard, context, answer: ask('Password: ', controller.signal) };
}

test('what is typed is not shown, and the terminal is left as it was', async () => {
  const { modes, keyboard, context, answer } = terminal();
  keyboard.write('correct horse\r');
  expect((await answer).reveal()).toBe('correct horse');
  expect(context.written.stderr).toBe('Password: \n');
  expect(modes).toEqual([true, false]);
});

test('a typing error can be erased, one character or all', async () => {
  const { keyboard, answer } = terminal();
  keyboard.write('wrong\x15é日x\x7f\n');
  expect((await answer).reveal()).toBe('é日');
});

test('a character that comes in two parts is one', async () => {
  const { keyboard, answer } = terminal();
  const bytes = Buffer.from('é');
  keyboard.write(bytes.subarray(0, 1));
  keyboard.write(bytes.subarray(1));
  keyboard.write('\r');
  expect((await answer).reveal()).toBe('é');
});

test('Ctrl-C ends the question and gives the terminal back', async () => {
  const { modes, keyboard, answer } = terminal();
  keyboard.write('half\x03');
  await expect(answer).rejects.toThrow('interrupted');
  expect(modes).toEqual([true, false]);
});
