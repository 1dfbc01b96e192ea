import { isUtf8 } from 'node:buffer';
import { INVALID_RUNE, runeAt, widthOf } from './go-utf8.ts';

/*
 * Strings as Go's encoding/json writes them, so that a tree that restic would write gets the same id from us.
 * It escapes what a browser could trip over (< > & U+2028 U+2029), and writes invalid bytes as \ufffd.
 */

/** Printable ASCII without quote, backslash and the three that Go escapes: nearly every name there is. */
const PLAIN = /^[ !#-%'-;=?-[\]-~]*$/;
const ESCAPED_BY_GO = /[<>&\u2028\u2029]/g;

/** Whether `text` stands in Go's JSON, and in Go's quoting, as it is. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text);
}

/** `text` as a JSON string, quotes included. */
export function goString(text: string): string {
  if (PLAIN.test(text)) {
    return `"${text}"`;
  }
  return JSON.stringify(text.toWellFormed()).replace(ESCAPED_BY_GO, escapeUnit);
}

/** `bytes` as a JSON string, as Go writes a string that need not be UTF-8: bytes that are not get lost. */
export function goStringOfBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) {
    return goString(bytes.toString());
  }
  let json = '"';
  for (let at = 0; at < bytes.length; ) {
    const rune = runeAt(bytes, at);
    json += rune === INVALID_RUNE ? '\\ufffd' : goString(String.fromCodePoint(rune)).slice(1, -1);
    at += widthOf(rune);
  }
  return `${json}"`;
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
