import { formatCount, formatTime } from '../cli/format.ts';
import { signs } from '../cli/style.ts';
import { printable, truncateEnd } from '../cli/width.ts';
import type { Message, News } from './message.ts';

/** Beyond these a message is no longer read; all of it is in `holdfast status`. */
const MOST_NEWS = 10;
const LONGEST_SUBJECT = 120;

/** Who writes, and in which zone times are told. */
export interface Letterhead {
  readonly stack: string;
  readonly timezone: string;
}

/** One piece of news as every channel says it, in plain text. */
export interface Entry {
  readonly sign: string;
  readonly tone: 'bad' | 'warning' | 'quiet' | 'good';
  /** What it is about and what has become of it: `media · again`. */
  readonly title: string;
  /** What happened. */
  readonly text: string;
  /** What happens next or what to look at. */
  readonly next?: string;
  /** Since when. */
  readonly time: string;
}

export interface Wording {
  /** One line: the worst of it. */
  readonly subject: string;
  readonly entries: readonly Entry[];
  /** How much was left out, and where all of it is. */
  readonly more?: string;
  /** The worst of them, for colour and priority. */
  readonly tone: Entry['tone'];
}

export function wordingOf(message: Message, letterhead: Letterhead): Wording {
  if (message.test === true) return testWording(letterhead);
  const shown = message.news.slice(0, MOST_NEWS).map((news) => entryOf(news, letterhead.timezone));
  const left = message.news.length - shown.length;
  return {
    subject: subjectOf(message.news, letterhead),
    entries: shown,
    tone: shown[0]?.tone ?? 'quiet',
    ...(left === 0 ? {} : { more: `And ${formatCount(left)} more: holdfast status shows all.` }),
  };
}

function testWording({ stack }: Letterhead): Wording {
  return {
    subject: `[${printable(stack)}] Test: alerts of Holdfast arrive here`,
    entries: [
      {
        sign: signs.good,
        tone: 'good',
        title: 'Test',
        text: 'Somebody tried this channel with holdfast alerts test. Nothing is wrong.',
        time: 'now',
      },
    ],
    tone: 'good',
  };
}

function subjectOf(news: readonly News[], { stack }: Letterhead): string {
  const first = news[0];
  if (first === undefined) return `[${printable(stack)}]`;
  const open = news.filter(({ kind }) => kind !== 'resolved').length;
  const others = news.length - 1;
  const words =
    open === 0
      ? `${signs.good} Over: ${printable(first.about)}`
      : `${signOf(first)} ${printable(first.about)}: ${printable(first.message)}`;
  const more = others === 0 ? '' : ` (+${others})`;
  return `${truncateEnd(`[${printable(stack)}] ${words}`, LONGEST_SUBJECT - more.length)}${more}`;
}

function entryOf(news: News, timezone: string): Entry {
  const { kind, about, message, hint, since, until } = news;
  const time =
    until === undefined
      ? `since ${formatTime(since, timezone)}`
      : `from ${formatTime(since, timezone)} to ${formatTime(until, timezone)}`;
  return {
    sign: signOf(news),
    tone: toneOf(news),
    title: `${printable(about)}${BECOME[kind]}`,
    text: kind === 'resolved' ? `Over. It was: ${printable(message)}` : printable(message),
    time,
    ...(hint === undefined || kind === 'resolved' ? {} : { next: printable(hint) }),
  };
}

const BECOME = {
  opened: '',
  back: ' · it is back',
  worse: ' · it got worse',
  repeated: ' · still so',
  resolved: ' · over',
} as const satisfies Record<News['kind'], string>;

function toneOf({ kind, severity }: News): Entry['tone'] {
  if (kind === 'resolved') return 'good';
  return ({ critical: 'bad', warning: 'warning', info: 'quiet' } as const)[severity];
}

function signOf(news: News): string {
  return { bad: signs.bad, warning: signs.warning, quiet: '·', good: signs.good }[toneOf(news)];
}
