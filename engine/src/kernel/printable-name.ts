/**
 * What could steer a terminal or hide what follows: control characters (escape sequences begin with one), line and
 * paragraph separators, the marks and overrides of writing direction, and surrogates that stand alone.
 */
const UNSAFE = /[\p{Control}\p{Surrogate}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/gu;

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * A name or path as a person may see it: whatever is unsafe is written out (`\n`, `\x1b`, `\u{202e}`). Bytes that are
 * not UTF-8, which stand as U+DC80…U+DCFF in the text of a path, become `\xe9`. For eyes, not for a way back: a
 * backslash that is part of the name stays as it is.
 */
export function printableName(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xdc80 && code <= 0xdcff) return hexByte(code & 0xff);
    return NAMED[character] ?? (code < 0x100 ? hexByte(code) : `\\u{${code.toString(16)}}`);
  });
}

function hexByte(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
