/**
 * How much room text takes on a terminal. Names of files come from strangers: they may hold escape sequences that
 * would repaint the screen, so they pass through `printable` before they are shown.
 */

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** East Asian Wide and Fullwidth (Unicode TR 11), the blocks that occur, plus what is drawn as an emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]|\ufe0f/u;
const WITHOUT_WIDTH = /^[\p{Mark}\p{Format}\p{Control}]+$/u;
const UNSAFE = /[\p{Control}\p{Surrogate}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Cells of `text` on a terminal; escape sequences are not understood. */
export function displayWidth(text: string): number {
  if (isPlain(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += graphemeWidth(segment);
  return width;
}

/** `text` in at most `width` cells, its end replaced by `…` where it is longer. */
export function truncateEnd(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width < 1) return '';
  let kept = '';
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    const next = used + graphemeWidth(segment);
    if (next > width - 1) break;
    kept += segment;
    used = next;
  }
  return `${kept}…`;
}

/** `text` in at most `width` cells, its beginning replaced by `…`: of a path the end tells more. */
export function truncateStart(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width < 1) return '';
  if (isPlain(text)) return `…${text.slice(text.length - width + 1)}`;
  const segments = Array.from(graphemes.segment(text), (part) => part.segment);
  let from = segments.length;
  let used = 0;
  while (from > 0) {
    const next = used + graphemeWidth(segments[from - 1] ?? '');
    if (next > width - 1) break;
    used = next;
    from -= 1;
  }
  return `…${segments.slice(from).join('')}`;
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - displayWidth(text))) + text;
}

/** `text` with control characters and direction overrides written out: nothing in it can steer a terminal. */
export function printable(text: string): string {
  if (isPlain(text)) return text;
  return text.replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (character === '\n') return '\\n';
    if (character === '\t') return '\\t';
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

/** Printable ASCII. A loop, since tables measure millions of short texts, and a regular expression costs five times as much. */
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}

function graphemeWidth(grapheme: string): number {
  if (WITHOUT_WIDTH.test(grapheme)) return 0;
  return WIDE.test(grapheme) ? 2 : 1;
}
