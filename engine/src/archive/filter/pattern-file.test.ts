// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the shell's braces
import { expect, test } from 'vitest';
import { pathText } from './path-text.ts';
import { parsePatternFile } from './pattern-file.ts';

const environment = (name: string) => ({ HOME: '/home/ann', a_1: 'x' })[name];
const parse = (text: string | Buffer) => parsePatternFile(Buffer.from(text), environment);

test('comments, empty lines and white space around a pattern are left out', () => {
  expect(parse('# go files\n*.go\n\n  \t\n  # indented\n  two words.txt \r\nlast')).toEqual([
    '*.go',
    'two words.txt',
    'last',
  ]);
});

test('variables are replaced', () => {
  expect(parse('$HOME/*\n!${HOME}/code\n$HOMES/x\n$a_1.b')).toEqual([
    '/home/ann/*',
    '!/home/ann/code',
    '/x',
    'x.b',
  ]);
});

test('two dollar signs are one, and one that names nothing stays', () => {
  expect(parse('$$HOME\na$$b\ncost$\n$/x\n$.y')).toEqual(['$HOME', 'a$b', 'cost$', '$/x', '$.y']);
});

test('a variable that is badly written vanishes as it does in restic', () => {
  expect(parse('a${}b\na${HOME\na$1b\n${$}')).toEqual(['ab', 'aHOME', 'ab', '$']);
});

test('a name that is no text stays what it is', () => {
  expect(parse(Buffer.from([0x61, 0xff, 0x0a]))).toEqual([pathText(Buffer.from([0x61, 0xff]))]);
});

test('a file from Windows is read: UTF-8 with a mark, UTF-16 of both orders', () => {
  const text = 'Müll\r\n*.tmp\r\n';
  const utf16 = Buffer.from(`\ufeff${text}`, 'utf16le');
  for (const bytes of [Buffer.from(`\ufeff${text}`), utf16, Buffer.from(utf16).swap16()]) {
    expect(parse(bytes)).toEqual(['Müll', '*.tmp']);
  }
});
