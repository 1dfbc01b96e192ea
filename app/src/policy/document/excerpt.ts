import { harmlessKeys } from '../schema/harmless.ts';
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

/**
 * Places and shows a part of the text. What follows it on the line is left out, and what may be a secret is hidden:
 * the part itself where the caller knows of one, and else whatever stands behind a key that is not known as harmless.
 */
export function positionOf(text: string, [first, to]: Extent, secret: boolean): Position {
  // An end that was awaited and did not come is marked behind the last thing that is there.
  const begin = Math.min(first, text.trimEnd().length);
  const lineStart = text.lastIndexOf('\n', begin - 1) + 1;
  const lineEnd = endOfLine(text, begin);
  const end = Math.max(Math.min(to, lineEnd), Math.min(begin + 1, lineEnd));
  const column = begin - lineStart;
  const line = hideSecrets(text.slice(lineStart, end).trimEnd());
  const from = Math.max(0, column - MOST_BEFORE);
  const marked = secret ? '•'.repeat(HIDDEN) : line.slice(column, column + MOST_MARKED);
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

/** So that not even its length is told. */
const HIDDEN = 8;
const BEHIND_KEY =
  /(?<![\w.-])([\w.-]+)(["']?\s*:\s+)("(?:[^"\\]|\\.)*"?|'[^']*'?|\[[^\]{]*\]?|[^\s{}[\],"'][^,{}[\]]*)/g;
const LOGIN = /:\/\/[^\s/@]+@/g;
const QUERY = /([?&][\w-]*(?:pass|secret|token|key)[\w-]*=)([^\s"'&]+)/g;

/** Keeps its length, so that the mark stays below what is marked. */
function hideSecrets(text: string): string {
  return text
    .replace(BEHIND_KEY, (whole: string, key: string, colon: string, value: string) =>
      harmlessKeys().has(key) ? whole : key + colon + '•'.repeat(value.trimEnd().length),
    )
    .replace(QUERY, (_, name: string, value: string) => name + '•'.repeat(value.length))
    .replace(LOGIN, (login) => `://${'•'.repeat(login.length - 4)}@`);
}
