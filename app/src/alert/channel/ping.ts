import type { Clock } from '@holdfast/engine';
import { Secret } from '../../cli/secret.ts';
import { post } from './http-post.ts';
import type { Sent } from './sending.ts';

/** A service shows so much of it; the rest would only be carried. */
const LONGEST_REPORT = 10_000;

/**
 * A sign of life to a service that raises the alarm when none comes, in the way of healthchecks.io: the address itself
 * is a success, `/start` and `/fail` behind it what they say. The report is for whoever looks there, without secrets.
 */
export async function sendPing(
  sign: 'start' | 'success' | 'fail',
  report: string,
  to: { readonly url: Secret; readonly timeLimit: number },
  clock: Pick<Clock, 'now'>,
  signal: AbortSignal,
): Promise<Sent> {
  const url = new Secret(withSign(to.url.reveal(), sign));
  const headers = { 'content-type': 'text/plain; charset=utf-8' };
  return post(
    { url, body: report.slice(0, LONGEST_REPORT), headers, timeLimit: to.timeLimit },
    clock,
    signal,
  );
}

function withSign(address: string, sign: 'start' | 'success' | 'fail'): string {
  const url = URL.parse(address);
  if (url === null || sign === 'success') return address;
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${sign}`;
  return url.href;
}
