import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRoute } from './route.ts';

const id = 'ab'.repeat(32);

test.each([
  ['/config', { kind: 'file', repository: [], handle: { type: 'config', name: 'config' } }],
  ['/anna/config', { kind: 'file', repository: ['anna'], handle: { type: 'config', name: 'config' } }],
  [
    `/anna/laptop/data/${id}`,
    { kind: 'file', repository: ['anna', 'laptop'], handle: { type: 'pack', name: id } },
  ],
  [`/locks/${id}`, { kind: 'file', repository: [], handle: { type: 'lock', name: id } }],
  ['/anna/snapshots/', { kind: 'list', repository: ['anna'], type: 'snapshot' }],
  ['/anna/?create=true', { kind: 'repository', repository: ['anna'], create: true }],
  ['/?create=true', { kind: 'repository', repository: [], create: true }],
  ['/J%C3%BCrgen', { kind: 'repository', repository: ['Jürgen'], create: false }],
])('%s is what it says', (target, route) => {
  expect(parseRoute(target)).toEqual(route);
});

test.each([
  `/../data/${id}`,
  `/anna/../data/${id}`,
  `/..%2f..%2fetc/data/${id}`,
  `/%2e%2e/data/${id}`,
  `/%252e%252e/data/${id}`,
  `/anna%2F..%2F..%2Fetc/config`,
  `/.hidden/config`,
  '/a%00b/config',
  '/a\\..\\b/config',
  '/a%5c..%5cb/config',
  '/anna//config',
  '//etc/config',
  '/%zz/config',
  '/data/passwd',
  `/data/${id.toUpperCase()}`,
  `/data/${id}x`,
  `/data/${id}/`,
  `/data/ab/${id}`,
  '/anna/data/../config',
  `/data/config`,
  `/anna/locks/more/config`,
  `/${'x'.repeat(101)}/config`,
  `/${'x/'.repeat(9)}config`,
  `/${'x/'.repeat(5000)}config`,
  'config',
  '',
  'http://elsewhere/config',
  '*',
])('%s is nothing that a repository could have', (target) => {
  expect(parseRoute(target)).toBeUndefined();
});

test('whatever is asked for lies below the served directory', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '..',
      '.',
      '%2e',
      '%2f',
      '/',
      '\\',
      '%5c',
      'data',
      'config',
      id,
      '?create=true',
      '%00',
      'a',
    ),
    fc.string({ unit: 'binary', maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const route = parseRoute(`/${pieces.join('')}`);
      if (route === undefined) return;
      const place = path.join('/srv/served', ...route.repository);
      expect(place.split('/').slice(3)).toEqual(route.repository);
      expect(`${place}/`.startsWith('/srv/served/')).toBe(true);
    }),
    { numRuns: 2000 },
  );
});
