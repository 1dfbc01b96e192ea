/** What one component of a pattern says about one component of a path. */
export type ComponentTest = (component: string) => boolean;

/**
 * Compiles what Go's `filepath.Match` understands, for a text without separators:
 *
 *     *        any characters, also none and also a leading dot
 *     ?        one character
 *     [a-z]    one of a class, [^a-z] one not of it; `]`, `-` and a leading `^` as themselves need a backslash
 *     \c       the character c
 *
 * Returns undefined where the component is malformed.
 */
export function compileComponent(component: string): ComponentTest | undefined {
  const tokens = tokenize(component);
  if (tokens === undefined) return undefined;
  return fastTest(tokens) ?? regexTest(tokens);
}

/** Whether `component` is more than a name. */
export function hasWildcard(component: string): boolean {
  return /[*?[\\]/.test(component);
}

type Token =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'star' }
  | { readonly type: 'one' }
  | {
      readonly type: 'class';
      readonly negated: boolean;
      readonly ranges: readonly (readonly [string, string])[];
    };

function tokenize(component: string): Token[] | undefined {
  const characters = [...component];
  const tokens: Token[] = [];
  let text = '';
  const push = (token: Token): void => {
    if (text !== '') tokens.push({ type: 'text', text });
    text = '';
    tokens.push(token);
  };
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] as string;
    if (character === '*') {
      const afterStar = text === '' && tokens.at(-1)?.type === 'star';
      if (!afterStar) push({ type: 'star' });
    } else if (character === '?') {
      push({ type: 'one' });
    } else if (character === '[') {
      const parsed = parseClass(characters, at + 1);
      if (parsed === undefined) return undefined;
      push(parsed.token);
      at = parsed.end;
    } else if (character === '\\') {
      const escaped = characters[++at];
      if (escaped === undefined) return undefined;
      text += escaped;
    } else {
      text += character;
    }
  }
  if (text !== '') tokens.push({ type: 'text', text });
  return tokens;
}

/** `at` is behind the opening bracket, `end` will be on the closing one. */
function parseClass(characters: readonly string[], at: number): { token: Token; end: number } | undefined {
  const negated = characters[at] === '^';
  if (negated) at++;
  const ranges: (readonly [string, string])[] = [];
  const take = (): string | undefined => {
    const character = characters[at++];
    if (character === '\\') return characters[at++];
    return character === '-' || character === ']' ? undefined : character;
  };
  while (ranges.length === 0 || characters[at] !== ']') {
    const from = take();
    if (from === undefined) return undefined;
    let to: string | undefined = from;
    if (characters[at] === '-') {
      at++;
      to = take();
      if (to === undefined) return undefined;
    }
    ranges.push([from, to]);
  }
  return { token: { type: 'class', negated, ranges }, end: at };
}

/** Most components are a name, `*`, `*.ext` or `name*`: these need no regular expression. */
function fastTest(tokens: readonly Token[]): ComponentTest | undefined {
  const [first, second] = tokens;
  if (first === undefined) return (component) => component === '';
  if (tokens.length === 1) {
    if (first.type === 'star') return () => true;
    if (first.type === 'text') return (component) => component === first.text;
  }
  // A lone surrogate stands for a byte, and must not be found as the half of a pair: that is left to the expression.
  if (tokens.length !== 2 || second === undefined) return undefined;
  if (first.type === 'star' && second.type === 'text' && second.text.isWellFormed()) {
    return (component) => component.endsWith(second.text);
  }
  if (first.type === 'text' && second.type === 'star' && first.text.isWellFormed()) {
    return (component) => component.startsWith(first.text);
  }
  return undefined;
}

/**
 * Several stars would try every way to share out the name, for ever on a name of 255 characters that does not match.
 * But what stands between two stars may be taken where it is found first, for good: `(?=(…))\1` never looks back.
 */
function regexTest(tokens: readonly Token[]): ComponentTest {
  const chunks = [''];
  for (const token of tokens) {
    if (token.type === 'star') chunks.push('');
    else chunks.push(`${chunks.pop()}${sourceOf(token)}`);
  }
  const [first = '', ...rest] = chunks;
  const last = rest.pop();
  const between = rest.map((chunk, index) => `(?=(.*?${chunk}))\\${index + 1}`);
  const expression = new RegExp(
    `^${first}${between.join('')}${last === undefined ? '' : `.*${last}`}$`,
    'su',
  );
  return (component) => expression.test(component);
}

function sourceOf(token: Exclude<Token, { type: 'star' }>): string {
  if (token.type === 'one') return '.';
  if (token.type === 'text') return [...token.text].map(escapeCharacter).join('');
  // A range that runs backwards is allowed, and is empty.
  const ranges = token.ranges
    .filter(([from, to]) => codeOf(from) <= codeOf(to))
    .map(([from, to]) => `${escapeCharacter(from)}-${escapeCharacter(to)}`);
  return `[${token.negated ? '^' : ''}${ranges.join('')}]`;
}

function escapeCharacter(character: string): string {
  return `\\u{${codeOf(character).toString(16)}}`;
}

function codeOf(character: string): number {
  return character.codePointAt(0) as number;
}
