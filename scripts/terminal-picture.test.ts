import { expect, test } from 'vitest';
import { styleFor } from '../app/src/cli/style.ts';
import { drawTerminal } from './terminal-picture.ts';

const style = styleFor({ colour: true });
const texts = (picture: string) =>
  [...picture.matchAll(/<text x="([\d.]+)" y="([\d.]+)"[^>]*?(?: class="([^"]*)")?>([^<]*)</g)].map(
    ([, x, y, looks = '', text]) => ({ x: Number(x), y: Number(y), looks, text }),
  );

test('what stands below each other in the terminal does so in the picture', () => {
  const picture = drawTerminal(`a     left\n${style.strong('bold')}  left\n`, 'a title');
  const [a, first, bold, second] = texts(picture);
  expect([a?.text, first?.text, bold?.text, second?.text]).toEqual(['a', 'left', 'bold', 'left']);
  expect(first?.x).toBe(second?.x);
  expect(a?.y).toBe(first?.y);
  expect(second?.y).toBeGreaterThan(first?.y ?? 0);
});

test('colours and weights of the terminal are those of the picture', () => {
  const line = `${style.good('✔')} plain ${style.strong(style.bad('worse'))} ${style.quiet('aside')}`;
  const looks = texts(drawTerminal(line, '')).map((text) => [text.text, text.looks]);
  expect(looks).toEqual([
    ['✔', 'good'],
    ['plain', ''],
    ['worse', 'strong bad'],
    ['aside', 'quiet'],
  ]);
});

test('text is never taken for a part of the picture', () => {
  const picture = drawTerminal('a < b && <script>', '<title>');
  expect(picture).toContain('a &lt; b &amp;&amp; &lt;script&gt;');
  expect(picture).toContain('<title>&lt;title&gt;</title>');
});

test('an escape sequence that it does not know is no picture', () => {
  expect(() => drawTerminal('\x1b[45mpink\x1b[49m', '')).toThrow('45');
});
