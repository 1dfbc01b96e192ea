import { isUtf8 } from 'node:buffer';

/**
 * A path or name as text, in which any bytes survive: valid UTF-8 is decoded, each byte that is not part of any stands
 * as a lone surrogate U+DC80…U+DCFF (as Python's "surrogateescape" does). UTF-8 can't encode a surrogate, so two paths
 * never share a text, and a pattern's `?` is one character where the name is text, else one byte.
 */
export type PathText = string;

const ESCAPE = 0xdc00;

export function pathText(bytes: Buffer): PathText {
  if (isUtf8(bytes)) return bytes.toString();
  let text = '';
  let valid = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    text += bytes.toString('utf8', valid, at) + String.fromCharCode(ESCAPE | (bytes[at] as number));
    valid = ++at;
  }
  return text + bytes.toString('utf8', valid);
}

/** The inverse of {@link pathText}. */
export function pathBytes(text: PathText): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  const parts: Buffer[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    parts.push(code >= 0xdc80 && code <= 0xdcff ? Buffer.from([code & 0xff]) : Buffer.from(character));
  }
  return Buffer.concat(parts);
}

/** Bytes of the UTF-8 character at `at`; 0 where none is. */
function characterLength(bytes: Buffer, at: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  return isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}
