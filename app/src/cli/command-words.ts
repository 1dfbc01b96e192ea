import { Failure } from '@holdfast/engine';

/**
 * The words of a command, separated as restic separates a password command (`internal/backend/shell_split.go`): by
 * white space, with single or double quotes around what belongs together, and no other meaning of a shell. As there,
 * a backslash outside of quotes separates as well (and takes the meaning from a quote behind it), inside it stays in
 * the word, and nothing between two quotes is no word.
 */
export function splitCommand(command: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  let previous = '';
  const endWord = () => {
    if (word !== '') words.push(word);
    word = '';
  };
  for (const character of command) {
    const escaped = previous === '\\';
    const quotes = !escaped && (quote === '' ? character === '"' || character === "'" : character === quote);
    if (quotes) {
      endWord();
      quote = quote === '' ? character : '';
      // `previous` stays: for restic a quote is no character that was read.
      continue;
    }
    previous = character;
    if (quote === '' && (character === '\\' || /\s/.test(character))) endWord();
    else word += character;
  }
  endWord();
  if (quote !== '')
    throw new Failure('usage', `a ${quote === '"' ? 'double' : 'single'} quote in the command is not closed`);
  if (words.length === 0) throw new Failure('usage', 'the command is empty');
  return words;
}
