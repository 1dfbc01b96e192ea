import { isFailure } from '@holdfast/engine';
import type { Secret } from '../../cli/secret.ts';
import type { PlainOrSecret } from '../../policy/model.ts';
import type { Message } from '../message.ts';
import type { Letterhead } from '../wording.ts';

/** What is sent, and as which delivery: a receiver that gets it twice can tell by the id. */
export interface Letter {
  /** The same each time that the delivery is tried. */
  readonly id: string;
  readonly message: Message;
  readonly letterhead: Letterhead;
}

/** How it went. A refusal is no exception: it is kept, shown and tried again. Its words never hold a secret. */
export type Sent =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** One sentence, without the channel's name. */
      readonly message: string;
      /** Something is wrong with this message, not with the way: the next one may get through. */
      readonly fault?: 'message';
      readonly hint?: string;
      /** Milliseconds that the receiver asked us to wait. */
      readonly retryAfter?: number;
    };

/** Rejects only when it was told to stop. */
export type Send = (letter: Letter, signal: AbortSignal) => Promise<Sent>;

/** Looks a value up where the policy says that it is, anew each time: it may have been changed meanwhile. */
export type ReadValue = (reference: PlainOrSecret, signal: AbortSignal) => Promise<Secret>;

/** One attempt, from the connection to the last byte of the answer. */
export const TIME_LIMIT = 10_000;

/** A value, or why there is none. */
export async function readOrRefuse(
  read: ReadValue,
  reference: PlainOrSecret,
  signal: AbortSignal,
): Promise<{ readonly ok: true; readonly value: Secret } | Extract<Sent, { ok: false }>> {
  try {
    return { ok: true, value: await read(reference, signal) };
  } catch (error) {
    signal.throwIfAborted();
    if (!isFailure(error)) throw error;
    const { message, hint } = error;
    return { ok: false, message, ...(hint === undefined ? {} : { hint }) };
  }
}
