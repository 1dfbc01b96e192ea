import type { Clock } from '@holdfast/engine';
import { formatDuration } from '../../cli/format.ts';
import type { Secret } from '../../cli/secret.ts';
import type { Sent } from './sending.ts';

export interface Post {
  /** All of it is taken for a secret: not even its host is shown. */
  readonly url: Secret;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly timeLimit: number;
}

/** What is read of an answer; more is none of our business. */
const LONGEST_ANSWER = 4096;
/** Words such as `channel_is_archived` are repeated; a text could hold what must not be seen. */
const ONE_WORD = /^[a-z_]{1,40}$/;
const FAULTS_OF_THE_MESSAGE: readonly number[] = [400, 413, 415, 422];
/** A receiver may ask us to wait, not to go away. */
const LONGEST_WAIT = 60 * 60_000;

/** Sends one request. No redirect is followed: it could lead the secret in the address to somebody else. */
export async function post(request: Post, clock: Pick<Clock, 'now'>, signal: AbortSignal): Promise<Sent> {
  const url = URL.parse(request.url.reveal());
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return { ok: false, message: 'its address is no https:// address' };
  }
  const login = loginOf(url);
  const limit = AbortSignal.timeout(request.timeLimit);
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: request.body,
      headers: { 'user-agent': 'holdfast', ...login, ...request.headers },
      redirect: 'manual',
      signal: AbortSignal.any([signal, limit]),
    });
    if (response.ok) {
      // Taken is taken, whatever else it may have to say and however slowly.
      await response.body?.cancel();
      return { ok: true };
    }
    return refusalOf(response, quotable(await firstBytes(response), request.url), clock.now());
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted)
      return { ok: false, message: `it did not answer within ${formatDuration(request.timeLimit)}` };
    return { ok: false, message: `it could not be reached${reasonOf(error)}` };
  }
}

/** `fetch` takes no login in an address; it is moved to where it belongs. */
function loginOf(url: URL): Record<string, string> {
  const { username, password } = url;
  if (username === '' && password === '') return {};
  url.username = '';
  url.password = '';
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

async function firstBytes(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return '';
  const parts: Uint8Array[] = [];
  for (let length = 0; length < LONGEST_ANSWER; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    length += value.length;
  }
  await reader.cancel();
  return Buffer.concat(parts).subarray(0, LONGEST_ANSWER).toString();
}

/** The answer where it is one plain word that is no part of the address; else nothing. */
function quotable(text: string, url: Secret): string {
  const word = text.trim();
  return ONE_WORD.test(word) && !url.reveal().includes(word) ? ` ${word}` : '';
}

function refusalOf(response: Response, word: string, now: number): Sent {
  const { status } = response;
  if (status >= 300 && status < 400) {
    return {
      ok: false,
      message: `it answered ${status}, a redirect, which is not followed`,
      hint: 'Write the address that it leads to.',
    };
  }
  const wait = waitOf(response.headers.get('retry-after'), now);
  return {
    ok: false,
    message: `it answered ${status}${word}`,
    ...(FAULTS_OF_THE_MESSAGE.includes(status) ? { fault: 'message' } : {}),
    ...(wait === undefined ? {} : { retryAfter: wait }),
  };
}

/** Retry-After of RFC 9110: seconds or a date. */
function waitOf(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(wait) ? undefined : Math.min(LONGEST_WAIT, Math.max(0, wait));
}

/** The code of what happened below, never its text: that names the address. */
function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return code === undefined ? '' : ` (${code})`;
}

function codeOf(error: unknown, depth = 0): string | undefined {
  if (!(error instanceof Error) || depth > 5) return undefined;
  const { code } = error as { code?: unknown };
  return (
    codeOf(error.cause, depth + 1) ??
    (typeof code === 'string' && /^[A-Z0-9_]+$/.test(code) ? code : undefined)
  );
}
