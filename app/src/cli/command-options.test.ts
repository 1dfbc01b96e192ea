import { InvalidArgumentError } from 'commander';
import { expect, test } from 'vitest';
import { parseDataSubset } from './commands/repo/check.ts';
import { parseGrouping } from './commands/repo/forget.ts';
import { parseUnusedLimit } from './prune-options.ts';

test('a part of the data is a numbered one, a share or an amount', () => {
  expect(parseDataSubset('3/7')).toEqual({ kind: 'part', part: 3, of: 7 });
  expect(parseDataSubset('2.5%')).toEqual({ kind: 'share', share: 0.025 });
  expect(parseDataSubset('50G')).toEqual({ kind: 'bytes', bytes: 50 * 1024 ** 3 });
});

test('unused data that may stay is a share, an amount or all', () => {
  expect(parseUnusedLimit('5%')).toEqual({ kind: 'share', share: 0.05 });
  expect(parseUnusedLimit('500M')).toEqual({ kind: 'bytes', bytes: 500 * 1024 ** 2 });
  expect(parseUnusedLimit('unlimited')).toEqual({ kind: 'unlimited' });
});

test('groups are made of host, paths and tags; an empty text is no grouping', () => {
  expect(parseGrouping('host, path,tags')).toEqual(['host', 'paths', 'tags']);
  expect(parseGrouping('')).toEqual([]);
});

test.each([
  [parseDataSubset, '8/7'],
  [parseDataSubset, '0/7'],
  [parseDataSubset, '0%'],
  [parseDataSubset, '101%'],
  [parseUnusedLimit, '100%'],
  [parseGrouping, 'host,colour'],
] as [(text: string) => unknown, string][])('%o of %j is refused', (parse, text) => {
  expect(() => parse(text)).toThrow(InvalidArgumentError);
});
