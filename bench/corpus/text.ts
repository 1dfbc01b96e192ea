import { Prng } from './prng.ts';

const LINES = 12_000;
const IDENTIFIERS = 1_500;
const KEYWORDS = [
  'const',
  'return',
  'if',
  'for',
  'await',
  'import',
  'export',
  'function',
  'type',
  'readonly',
  'throw new',
];
const OPERATORS = [' = ', '.', '(', ', ', ') => ', ' === ', ' + ', ' ?? ', ': ', '['];
const SYLLABLES = [
  're',
  'ad',
  'er',
  'pa',
  'ck',
  'in',
  'dex',
  'to',
  'ken',
  'se',
  'al',
  'ha',
  'sh',
  'sna',
  'p',
  'lo',
  'co',
  'mit',
  'bu',
  'f',
];

/**
 * Text that compresses like source code (about 3 to 1 in files of 10 KB): lines from a stock that all files share,
 * every few of them with something of the file's own in it.
 */
export class TextStock {
  readonly #lines: Buffer[];

  constructor(seed: string) {
    const prng = new Prng(`${seed} text`);
    const identifiers = Array.from({ length: IDENTIFIERS }, () => identifier(prng));
    this.#lines = Array.from({ length: LINES }, () => Buffer.from(line(prng, identifiers)));
  }

  fill(target: Buffer, prng: Prng): void {
    let at = 0;
    while (at < target.length) {
      // Neighbours in the stock stay neighbours now and then, and files repeat themselves, as source code does.
      let index = prng.below(LINES);
      for (let run = prng.below(8); run >= 0 && at < target.length; run--) {
        at += this.#lines[index++ % LINES]?.copy(target, at) ?? 0;
      }
      const from = prng.below(at);
      at += target.copy(target, at, from, Math.min(at, from + prng.below(250)));
      if (at + 16 <= target.length) at += target.write(`// ${prng.next().toString(36)}\n`, at, 'latin1');
    }
  }
}

function identifier(prng: Prng): string {
  const syllables = Array.from({ length: 2 + prng.below(4) }, () => pick(prng, SYLLABLES));
  return syllables
    .map((syllable, index) => (index % 2 === 0 && index > 0 ? capital(syllable) : syllable))
    .join('');
}

function line(prng: Prng, identifiers: readonly string[]): string {
  let text = '  '.repeat(prng.below(5)) + pick(prng, KEYWORDS);
  for (let parts = 1 + prng.below(5); parts > 0; parts--) {
    // Cubed, so that a few names are everywhere and most are rare.
    const rank = Math.floor(prng.fraction() ** 3 * identifiers.length);
    text += (parts % 2 === 0 ? pick(prng, OPERATORS) : ' ') + (identifiers[rank] ?? '');
  }
  return `${text};\n`;
}

function pick<T>(prng: Prng, from: readonly T[]): T {
  return from[prng.below(from.length)] as T;
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
