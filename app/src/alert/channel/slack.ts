import type { Clock } from '@holdfast/engine';
import type { Secret } from '../../cli/secret.ts';
import { type Entry, type Letterhead, type Wording, wordingOf } from '../wording.ts';
import { post } from './http-post.ts';
import type { Letter, Sent } from './sending.ts';

/** Limits of Slack: a header's and a section's text. */
const LONGEST_HEADER = 150;
const LONGEST_SECTION = 3000;

/** Sends to an incoming webhook. Whoever has its address can write there, so it goes over TLS only. */
export async function sendToSlack(
  { message, letterhead }: Letter,
  to: { readonly url: Secret; readonly timeLimit: number },
  clock: Pick<Clock, 'now'>,
  signal: AbortSignal,
): Promise<Sent> {
  if (!isPrivate(to.url)) {
    return {
      ok: false,
      message: 'its address begins with http://, which would give it away: write https://',
    };
  }
  const body = JSON.stringify(slackBody(wordingOf(message, letterhead), letterhead));
  return post({ ...to, body, headers: { 'content-type': 'application/json' } }, clock, signal);
}

/** Block Kit; `text` is what a notification shows. */
export function slackBody(wording: Wording, { stack }: Letterhead): Record<string, unknown> {
  const footer = [`Holdfast · ${stack}`, ...(wording.more === undefined ? [] : [wording.more])];
  return {
    text: escaped(wording.subject),
    blocks: [
      {
        type: 'header',
        text: { type: 'plain_text', text: cut(wording.subject, LONGEST_HEADER), emoji: false },
      },
      ...wording.entries.map((entry) => ({
        type: 'section',
        text: { type: 'mrkdwn', text: sectionText(entry), verbatim: true },
      })),
      { type: 'context', elements: [{ type: 'plain_text', text: footer.join(' · '), emoji: false }] },
    ],
  };
}

function sectionText({ sign, title, text, next, time }: Entry): string {
  const lines = [`${sign} *${escaped(title)}*  ${escaped(time)}`, escaped(text)];
  if (next !== undefined) lines.push(`→ ${escaped(next)}`);
  return cut(lines.join('\n'), LONGEST_SECTION);
}

/** Slack counts UTF-16 code units, and refuses half of a pair. */
function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 2).toWellFormed()}…`;
}

/** What begins a mention, a link or an entity there. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Over TLS, or to this machine itself. */
function isPrivate(url: Secret): boolean {
  const parsed = URL.parse(url.reveal());
  if (parsed?.protocol !== 'http:') return true;
  return ['localhost', '127.0.0.1', '[::1]'].includes(parsed.hostname);
}
