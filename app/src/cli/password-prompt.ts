import { StringDecoder } from 'node:string_decoder';
import type { AskSecret, Output } from './context.ts';
import { Secret } from './secret.ts';

/** The part of a terminal's standard input that a question needs. */
export interface KeyboardInput {
  setRawMode(raw: boolean): unknown;
  on(event: 'data', listener: (bytes: Buffer) => void): unknown;
  off(event: 'data', listener: (bytes: Buffer) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

const ENTER = /[\r\n\x04]/;
const CTRL_C = '\x03';
const CTRL_U = '\x15';
const ERASERS = new Set(['\x7f', '\b']);

/**
 * Asks on a terminal without echo. In raw mode the terminal turns Ctrl-C into a mere character: `interrupt` is told,
 * as if the signal had come, and the question ends through its AbortSignal.
 */
export function secretPrompt(keyboard: KeyboardInput, screen: Output, interrupt: () => void): AskSecret {
  return (question, signal) =>
    new Promise((resolve, reject) => {
      const decoder = new StringDecoder('utf8');
      let typed: string[] = [];
      const end = () => {
        keyboard.off('data', read);
        signal.removeEventListener('abort', abort);
        keyboard.setRawMode(false);
        keyboard.pause();
        screen.write('\n');
      };
      const abort = () => {
        end();
        reject(signal.reason);
      };
      const read = (bytes: Buffer) => {
        for (const character of decoder.write(bytes)) {
          if (ENTER.test(character)) {
            end();
            resolve(new Secret(typed.join('')));
            return;
          }
          if (character === CTRL_C) {
            interrupt();
            return;
          }
          if (character === CTRL_U) typed = [];
          else if (ERASERS.has(character)) typed.pop();
          else typed.push(character);
        }
      };
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      screen.write(question);
      signal.addEventListener('abort', abort);
      keyboard.setRawMode(true);
      keyboard.on('data', read);
      keyboard.resume();
    });
}
