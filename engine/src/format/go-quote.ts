import { Failure } from '../kernel/failure.ts';
import { isPlain } from './go-json.ts';
import { INVALID_RUNE, runeAt, widthOf } from './go-utf8.ts';

/*
 * Names of files are bytes, JSON strings are not: restic passes each name through Go's strconv.Quote (without the
 * outer quotes) before JSON, and through strconv.Unquote after. So a backslash stands in JSON as four characters.
 */

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

const SHORT_ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x07, '\\a'],
  [0x08, '\\b'],
  [0x0c, '\\f'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
  [0x09, '\\t'],
  [0x0b, '\\v'],
  [0x22, '\\"'],
  [0x5c, '\\\\'],
]);

const SHORT_UNESCAPES: ReadonlyMap<string, number> = new Map(
  [...SHORT_ESCAPES].map(([byte, escaped]) => [escaped.slice(1), byte]),
);

/** A run of plain text, or one escape: a letter, a byte in hex, a rune in hex (short or long), a byte in octal. */
const TOKEN =
  /[^"\\\n]+|\\(?:([abfnrtv"\\])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/gy;

/** `name` quoted as Go does it. Which runes Go prints as they are depends on its age; all read either form. */
export function quote(name: Buffer): string {
  const ascii = name.toString('latin1');
  if (isPlain(ascii)) {
    return ascii;
  }
  let quoted = '';
  for (let at = 0; at < name.length; ) {
    const rune = runeAt(name, at);
    quoted += rune === INVALID_RUNE ? hexEscape('x', name[at] ?? 0, 2) : quoteRune(rune);
    at += widthOf(rune);
  }
  return quoted;
}

/** The bytes that `quoted` stands for; `repository.damaged` for what Go could not read either. */
export function unquote(quoted: string): Buffer {
  if (!/["\\\n]/.test(quoted)) {
    return Buffer.from(quoted);
  }
  const pieces: Uint8Array[] = [];
  let read = 0;
  for (const [token, letter, hex, shortRune, longRune, octal] of quoted.matchAll(TOKEN)) {
    const rune = shortRune ?? longRune;
    if (letter !== undefined) {
      pieces.push(Uint8Array.of(SHORT_UNESCAPES.get(letter) ?? 0));
    } else if (hex !== undefined) {
      pieces.push(Uint8Array.of(Number.parseInt(hex, 16)));
    } else if (octal !== undefined) {
      pieces.push(Uint8Array.of(Number.parseInt(octal, 8)));
    } else if (rune !== undefined) {
      pieces.push(bytesOfRune(Number.parseInt(rune, 16), quoted));
    } else {
      pieces.push(Buffer.from(token));
    }
    read += token.length;
  }
  if (read !== quoted.length) {
    throw notQuoted(quoted);
  }
  return Buffer.concat(pieces);
}

function quoteRune(rune: number): string {
  const short = SHORT_ESCAPES.get(rune);
  if (short !== undefined) {
    return short;
  }
  const text = String.fromCodePoint(rune);
  if (PRINTABLE.test(text)) {
    return text;
  }
  if (rune < 0x80) {
    return hexEscape('x', rune, 2);
  }
  return rune < 0x10000 ? hexEscape('u', rune, 4) : hexEscape('U', rune, 8);
}

function hexEscape(kind: 'x' | 'u' | 'U', value: number, digits: number): string {
  return `\\${kind}${value.toString(16).padStart(digits, '0')}`;
}

function bytesOfRune(rune: number, quoted: string): Buffer {
  if (rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff)) {
    throw notQuoted(quoted);
  }
  return Buffer.from(String.fromCodePoint(rune));
}

function notQuoted(quoted: string): Failure {
  return new Failure(
    'repository.damaged',
    `A name is not quoted as it must be: ${JSON.stringify(quoted.slice(0, 200))}.`,
  );
}
