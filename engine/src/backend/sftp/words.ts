import { Failure } from '../../kernel/failure.ts';

/**
 * Splits a command into words as a shell would: spaces separate, quotes of both kinds and backslashes protect. Nothing
 * is expanded. Throws `usage` for a quote that is not closed.
 */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (character === quote) {
      quote = undefined;
    } else if (quote === undefined && (character === '"' || character === "'")) {
      quote = character;
      word ??= '';
    } else if (quote === undefined && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === '\\' && quote !== "'" && at + 1 < text.length) {
      at += 1;
      word = (word ?? '') + text[at];
    } else {
      word = (word ?? '') + character;
    }
  }
  if (quote !== undefined) throw new Failure('usage', `A ${quote} is not closed in: ${text}`);
  if (word !== undefined) words.push(word);
  return words;
}
