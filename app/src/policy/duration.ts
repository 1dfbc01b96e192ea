/** Spans as a policy writes them, `1h 30m`: exact in both directions, unlike those that are shown to people. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A year is its longest: what is kept for five of them is never gone too early. */
const UNITS: readonly (readonly [name: string, milliseconds: number])[] = [
  ['y', 366 * DAY],
  ['d', DAY],
  ['h', HOUR],
  ['m', MINUTE],
  ['s', SECOND],
  ['ms', 1],
];
const LENGTHS = new Map([...UNITS, ['w', 7 * DAY] as const]);

export const DURATION =
  /^\d{1,15}(?:\.\d{1,3})?(?:ms|s|m|h|d|w|y)(?: *\d{1,15}(?:\.\d{1,3})?(?:ms|s|m|h|d|w|y))*$/;
/** One that is not nothing. */
export const SPAN =
  /^(?=.*[1-9])\d{1,15}(?:\.\d{1,3})?(?:ms|s|m|h|d|w|y)(?: *\d{1,15}(?:\.\d{1,3})?(?:ms|s|m|h|d|w|y))*$/;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y)/g;

/**
 * What `forever` means: a number, since a policy goes through JSON, and small enough that any date so much later can
 * still be told. Nothing longer is understood.
 */
export const FOREVER = 1000 * 366 * DAY;

/** Milliseconds; the text must match `DURATION`. */
export function parseDuration(text: string): number {
  let milliseconds = 0;
  for (const [, amount, unit] of text.matchAll(PART)) {
    milliseconds += Number(amount) * (LENGTHS.get(unit ?? '') ?? 0);
  }
  return Math.round(milliseconds);
}

/** The shortest text that means exactly so much: `1h 30m`, `7d`, `5y`. */
export function formatDuration(milliseconds: number): string {
  let rest = milliseconds;
  const parts: string[] = [];
  for (const [name, length] of UNITS) {
    const amount = Math.floor(rest / length);
    if (amount > 0) parts.push(`${amount}${name}`);
    rest -= amount * length;
  }
  return parts.length === 0 ? '0s' : parts.join(' ');
}

const WORDS: readonly (readonly [RegExp, unit: string, days?: number])[] = [
  [/^(?:ms|msecs?|milliseconds?)$/, 'ms'],
  [/^(?:s|secs?|seconds?)$/, 's'],
  [/^(?:m|mins?|minutes?)$/, 'm'],
  [/^(?:h|hrs?|hours?)$/, 'h'],
  [/^(?:d|days?)$/, 'd'],
  [/^(?:w|weeks?)$/, 'w'],
  [/^(?:mo|months?)$/, 'd', 31],
  [/^(?:y|yrs?|years?)$/, 'y'],
];

/** What somebody may have meant by `5 minutes` or `1 Month`. */
export function repairDuration(text: string): string | undefined {
  const parts: string[] = [];
  const rest = text
    .toLowerCase()
    .replace(/(\d+(?:\.\d+)?)\s*([a-z]+)/g, (_, amount: string, word: string) => {
      const known = WORDS.find(([pattern]) => pattern.test(word));
      if (known === undefined) return '?';
      parts.push(`${known[2] === undefined ? amount : Number(amount) * known[2]}${known[1]}`);
      return '';
    });
  const repaired = parts.join(' ');
  return /^[\s,]*(?:and[\s,]*)*$/.test(rest) && SPAN.test(repaired) ? repaired : undefined;
}
