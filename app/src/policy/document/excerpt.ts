import { harmlessKeys } from '../schema/harmless.ts';
import type { Extent } from './located.ts';

/** Where an offset lies, for people: both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly length: number;
  /** The line up to the end of what is marked. */
  readonly excerpt: string;
}

/**
 * Places and shows a part of the text. What follows it on the line is left out, and what may be a secret is hidden:
 * the part itself where the caller knows of one, and else whatever stands behind a key that is not known as harmless.
 */
export function positionOf(text: string, [from, to]: Extent, secret: boolean): Position {
  // An end that was awaited and did not come is marked behind the last thing that is there.
  const begin = Math.min(from, text.trimEnd().length);
  const lineStart = text.lastIndexOf('\n', begin - 1) + 1;
  const lineEnd = endOfLine(text, begin);
  const end = Math.max(Math.min(to, lineEnd), Math.min(begin + 1, lineEnd));
  const column = begin - lineStart;
  const shown = hideSecrets(text.slice(lineStart, end).trimEnd());
  const length = Math.max(1, secret ? HIDDEN : shown.length - column);
  return {
    line: text.slice(0, begin).split('\n').length,
    column: column + 1,
    length,
    excerpt: secret ? shown.slice(0, column) + '•'.repeat(length) : shown,
  };
}

function endOfLine(text: string, from: number): number {
  const at = text.indexOf('\n', from);
  return at === -1 ? text.length : text[at - 1] === '\r' ? at - 1 : at;
}

/** So that not even its length is told. */
const HIDDEN = 8;
const BEHIND_KEY =
  /([\w.-]+)(["']?\s*:\s+)("(?:[^"\\]|\\.)*"?|'[^']*'?|\[[^\]{]*\]?|[^\s{}[\],"'][^,{}[\]]*)/g;
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
