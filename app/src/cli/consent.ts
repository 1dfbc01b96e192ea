import { Failure } from '@holdfast/engine';
import type { Context, Output } from './context.ts';
import type { KeyboardInput } from './password-prompt.ts';

/** Asks a question that is answered with yes or no; anything but yes is no. */
export type AskConsent = (question: string, signal: AbortSignal) => Promise<boolean>;

/** What somebody is to agree to, after the plan was printed. */
export interface ConsentRequest {
  /** What is lost, as a sentence without its end: `12 entries of /srv are deleted`. */
  readonly loss: string;
  /** Stands for exactly this plan: another one has another token. */
  readonly token: string;
  /** The token that was given on the command line. */
  readonly given: string | undefined;
}

/** Returns when there is consent: the plan's token on the command line, or a yes on the terminal. */
export async function requireConsent(
  { loss, token, given }: ConsentRequest,
  context: Context,
): Promise<void> {
  if (given === token) return;
  const toAgree = `Nothing was changed. To agree to exactly this plan: --consent ${token}`;
  if (given !== undefined) {
    throw new Failure('usage', `--consent ${given} was for another plan than this one`, { hint: toAgree });
  }
  if (context.askConsent === undefined) {
    throw new Failure('usage', `${loss}, and there is no terminal to ask on`, { hint: toAgree });
  }
  if (await context.askConsent('Go ahead? [y/N] ', context.signal)) return;
  throw new Failure('interrupted', 'nobody agreed to the plan', { hint: 'Nothing was changed.' });
}

const YES = /^y(es)?$/i;

/** Asks on a terminal, which itself shows and edits the line. */
export function consentPrompt(keyboard: Omit<KeyboardInput, 'setRawMode'>, screen: Output): AskConsent {
  return (question, signal) =>
    new Promise((resolve, reject) => {
      const end = () => {
        keyboard.off('data', read);
        signal.removeEventListener('abort', abort);
        keyboard.pause();
      };
      const abort = () => {
        end();
        reject(signal.reason);
      };
      // A terminal hands over whole lines.
      const read = (bytes: Buffer) => {
        end();
        resolve(YES.test(bytes.toString().trim()));
      };
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      screen.write(question);
      signal.addEventListener('abort', abort);
      keyboard.on('data', read);
      keyboard.resume();
    });
}
