import { pathText } from './path-text.ts';

/**
 * The lines of a list that somebody wrote, as path texts: UTF-8 (any other bytes survive), or UTF-16 with a
 * byte-order mark. Lines end with `\n` or `\r\n`.
 */
export function linesOf(bytes: Uint8Array): string[] {
  const lines = decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)).split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
}

function decode(bytes: Buffer): string {
  const mark = bytes.toString('latin1', 0, 3);
  if (mark === '\xef\xbb\xbf') return pathText(bytes.subarray(3));
  if (mark.startsWith('\xff\xfe')) return bytes.toString('utf16le', 2);
  if (mark.startsWith('\xfe\xff'))
    return Buffer.from(bytes.subarray(2, bytes.length & ~1))
      .swap16()
      .toString('utf16le');
  return pathText(bytes);
}
