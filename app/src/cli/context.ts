import type { Clock } from '@holdfast/engine';
import type { AskConsent } from './consent.ts';
import type { Secret } from './secret.ts';
import type { Environment, Terminal } from './terminal.ts';

/** One of the two places that a command writes to. */
export interface Output {
  /** Asked anew for every drawing: a window may have been resized. */
  readonly terminal: Terminal;
  write(text: string): void;
  /** Resolves when the reader has taken the bytes: whoever writes much waits for it. */
  writeBytes(bytes: Uint8Array): Promise<void>;
}

/** All that a command may touch of the process it runs in. `main.ts` builds the real one, a test its own. */
export interface Context {
  /** Results and JSON lines. */
  readonly stdout: Output;
  /** Progress, errors, questions: never part of a result. */
  readonly stderr: Output;
  readonly environment: Environment;
  readonly homeDirectory: string;
  /** IANA name of the zone that times are told in. */
  readonly timeZone: string;
  readonly clock: Clock;
  /** Aborts with the Failure `interrupted`. */
  readonly signal: AbortSignal;
  /** Asks on the terminal without echo; absent where nobody can be asked. */
  readonly askSecret: AskSecret | undefined;
  /** Asks for a yes or no on the terminal; absent where nobody can be asked. */
  readonly askConsent: AskConsent | undefined;
}

export type AskSecret = (question: string, signal: AbortSignal) => Promise<Secret>;
