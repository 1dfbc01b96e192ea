import { isKnownKey } from '../schema/known-keys.ts';
import type { Extent } from './located.ts';

/** Where an offset lies, for people: both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly length: number;
  /** The line up to the end of what is marked. */
  readonly excerpt: string;
  /** Where in it the mark begins, from 0. */
  readonly offset: number;
}

/** Parts that may not be shown; undefined where it is not known what is what: then only known keys are. */
export type Hidden = readonly Extent[] | undefined;

/** Places and shows a part of the text. What follows it on the line is left out, and what may be a secret is hidden. */
export function positionOf(text: string, [first, to]: Extent, hidden: Hidden): Position {
  // An end that was awaited and did not come is marked behind the last thing that is there.
  const begin = Math.min(first, text.trimEnd().length);
  const lineStart = text.lastIndexOf('\n', begin - 1) + 1;
  const lineEnd = endOfLine(text, begin);
  const end = Math.max(Math.min(to, lineEnd), Math.min(begin + 1, lineEnd));
  const column = begin - lineStart;
  const line = withoutSecrets(text.slice(lineStart, end).trimEnd(), lineStart, hidden);
  const from = Math.max(0, column - MOST_BEFORE);
  const marked = line.slice(column, column + MOST_MARKED).replace(/^•+$/, DOTS);
  return {
    line: text.slice(0, begin).split('\n').length,
    column: column + 1,
    length: Math.max(1, marked.length),
    excerpt: (from === 0 ? '' : '…') + line.slice(from === 0 ? 0 : from + 1, column) + marked,
    offset: column - from,
  };
}

/** Of a line that goes on for ever the rest tells nobody anything. */
const MOST_BEFORE = 200;
const MOST_MARKED = 100;

function endOfLine(text: string, from: number): number {
  const at = text.indexOf('\n', from);
  return at === -1 ? text.length : text[at - 1] === '\r' ? at - 1 : at;
}

/** Of what is marked not even the length is told. */
const DOTS = '•'.repeat(8);
/** Of anchors and aliases: what begins with & or * may have been meant as a text. */
const ANCHOR = /(?<![^\s{[,:])([&*])([^\s,{}[\]]+)/g;
const WORD = /[^\s:{}[\],]+/g;

/** Keeps its length, so that the mark stays below what is marked. */
function withoutSecrets(line: string, lineStart: number, hidden: Hidden): string {
  if (hidden === undefined) {
    return line.replace(WORD, (word) => (isKnownKey(word) ? word : '•'.repeat(word.length)));
  }
  let shown = line;
  for (const [from, to] of hidden) {
    const [begin, end] = [Math.max(0, from - lineStart), Math.min(line.length, to - lineStart)];
    if (begin < end) shown = shown.slice(0, begin) + '•'.repeat(end - begin) + shown.slice(end);
  }
  return shown.replace(ANCHOR, (_, sign: string, name: string) => sign + '•'.repeat(name.length));
}
