import type { Clock } from '@holdfast/engine';
import { Secret } from '../../cli/secret.ts';
import type { PlainOrSecret } from '../../policy/model.ts';
import type { ChannelTools } from './channel.ts';
import { post } from './http-post.ts';
import { readOrRefuse, type Sent, TIME_LIMIT } from './sending.ts';

export type Sign = 'start' | 'success' | 'fail';

/** Rejects only when it was told to stop. */
export type Ping = (
  sign: Sign,
  report: string,
  to: { readonly url: PlainOrSecret },
  signal: AbortSignal,
) => Promise<Sent>;

/** A service shows so much of it; the rest would only be carried. */
const LONGEST_REPORT = 10_000;

/** The way to the service of a policy. Its address is read at each attempt: who knows it can say that we live. */
export function pinger({ readValue, clock, timeLimit = TIME_LIMIT }: ChannelTools): Ping {
  return async (sign, report, to, signal) => {
    const url = await readOrRefuse(readValue, to.url, signal);
    if (!url.ok) return url;
    return await sendPing(sign, report, { url: url.value, timeLimit }, clock, signal);
  };
}

/**
 * A sign of life to a service that raises the alarm when none comes, in the way of healthchecks.io: the address itself
 * is a success, `/start` and `/fail` behind it what they say. The report is for whoever looks there, without secrets.
 */
export async function sendPing(
  sign: Sign,
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

function withSign(address: string, sign: Sign): string {
  const url = URL.parse(address);
  if (url === null || sign === 'success') return address;
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${sign}`;
  return url.href;
}
