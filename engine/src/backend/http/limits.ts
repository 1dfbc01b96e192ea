import { Failure } from '../../kernel/failure.ts';

/** How long a connection may take to be made, in milliseconds. */
export const CONNECT_MS = 15_000;

/** Reads how many calls may run at once: `-o s3.connections=8`. Throws `usage`. */
export function connectionsOf(name: string, text: string | undefined): number {
  if (text === undefined) return USUAL_CONNECTIONS;
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= MOST_CONNECTIONS) return number;
  throw new Failure('usage', `-o ${name} is a number from 1 to ${MOST_CONNECTIONS}, not ${text}`);
}

/** Reads after how many seconds without a byte a connection counts as dead; in milliseconds. Throws `usage`. */
export function silenceOf(name: string, text: string | undefined): number {
  if (text === undefined) return USUAL_SILENCE_MS;
  const seconds = Number(text);
  if (seconds > 0 && seconds <= LONGEST_SILENCE_S) return seconds * 1000;
  throw new Failure('usage', `-o ${name} is a number of seconds up to ${LONGEST_SILENCE_S}, not ${text}`);
}

/** A server that is busy answers or closes. */
const USUAL_SILENCE_MS = 60_000;
const LONGEST_SILENCE_S = 3600;
const USUAL_CONNECTIONS = 8;
const MOST_CONNECTIONS = 64;
