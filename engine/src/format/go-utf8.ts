/*
 * UTF-8 as Go reads it: a byte that starts no valid sequence is one invalid rune of its own. JavaScript's decoder
 * groups such bytes differently, which is why names and link targets are walked by hand when they are not valid.
 */

/** What `runeAt` says for a byte that starts no valid sequence. */
export const INVALID_RUNE = -1;

/** The code point that starts at `at`, or `INVALID_RUNE`. Overlong forms and surrogates are invalid. */
export function runeAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) {
    return first;
  }
  const width = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (width === 0 || at + width > bytes.length) {
    return INVALID_RUNE;
  }
  let rune = first & (0xff >> (width + 1));
  for (let i = 1; i < width; i++) {
    const next = bytes[at + i] ?? 0;
    if ((next & 0xc0) !== 0x80) {
      return INVALID_RUNE;
    }
    rune = (rune << 6) | (next & 0x3f);
  }
  const surrogate = rune >= 0xd800 && rune <= 0xdfff;
  return widthOf(rune) === width && !surrogate && rune <= 0x10ffff ? rune : INVALID_RUNE;
}

/** How many bytes a rune takes; one for the invalid. */
export function widthOf(rune: number): number {
  return rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;
}
