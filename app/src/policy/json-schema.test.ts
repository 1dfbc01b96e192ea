import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { complaintsOf } from './complaints.ts';
import { policyJsonSchema } from './json-schema.ts';
import { policySchema } from './schema/policy.ts';

const validate = new Ajv2020({ strict: true, strictRequired: false, allErrors: true }).compile(
  policyJsonSchema(),
);

const EXAMPLE = {
  stack: 'shop',
  timezone: 'UTC',
  repositories: {
    main: {
      url: 's3:https://host/b',
      password: { file: '/run/secrets/main' },
      options: { 's3.region': 'eu', 's3.connections': 5, cacert: { env: 'CA' } },
      place: 'here',
      sameHost: 'accepted',
      capacity: '2 TB',
      limits: { upload: '20 MiB/s', requests: 5 },
      retention: { every: '1d', jitter: '0s' },
      check: { cron: '@daily', everything: '30d' },
    },
  },
  sources: {
    db: {
      postgres: { url: { env: 'URL' }, password: { command: 'x' }, maxRate: '5 MB/s', checkpoint: 'fast' },
      to: 'main',
      snapshot: '0 * * * *',
      journal: { slot: 'a', spool: '/x', spoolOnSourceHost: true },
      keep: { for: 'forever', last: 1 },
      objective: { rpo: '5m', copies: 1 },
      hooks: [{ before: 'x', onError: 'go on' }],
      hold: { reason: 'x', until: '2027-01-01' },
      retry: { limit: 0, delay: '0s' },
    },
    files: { files: { paths: ['/a'], exclude: '*.x' }, snapshot: 'never', keep: '7d', journal: 'continuous' },
  },
  copies: [{ from: 'main', to: 'other', after: 'each snapshot', verify: { sample: 0.5 } }],
  alerts: { to: [{ slack: { env: 'S' } }, { email: ['a@b.c'], about: 'db' }], group: '5s' },
  limits: { runs: 1 },
};

/** Scalars, mappings and lists that are right at some place and wrong at most. */
const PIECES: readonly unknown[] = [
  'x',
  '',
  '5m',
  '0s',
  '5 MiB',
  '5 MiB/s',
  '/a',
  'never',
  'continuous',
  '5 %',
  '101 %',
  'postgres://h/d',
  'postgres://u:p@h/d',
  '$' + '{X}',
  'a@b.c',
  'https://h',
  '2027-01-01',
  'P1',
  'forever',
  'UTC',
  0,
  1,
  0.5,
  -1,
  true,
  null,
  [],
  {},
  ['/a'],
  [5],
  { env: 'X' },
  { env: 'X', file: '/x' },
  { file: 'relative' },
  { every: '5s' },
  { cron: '@daily', every: '5s' },
  { for: '5m' },
  { unknown: 1 },
  { slack: { env: 'X' } },
  [{ email: 'a@b.c' }],
  { upload: '5 MB/s' },
  { paths: '/a' },
];

/** All places of a value: of each mapping also one more key. */
function placesIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Object.entries(value).flatMap(([key, part]) => placesIn(part, [...path, key]));
  return [path, [...path, 'unknown'], ...inner];
}

function changed(value: unknown, [key, ...rest]: readonly string[], piece: unknown): unknown {
  if (key === undefined) return piece;
  if (Array.isArray(value))
    return value.map((each, at) => (String(at) === key ? changed(each, rest, piece) : each));
  return { ...(value as object), [key]: changed((value as Record<string, unknown>)[key], rest, piece) };
}

test('the example that is changed below is a policy for both', () => {
  expect([complaintsOf(policySchema, EXAMPLE), validate(EXAMPLE)]).toEqual([[], true]);
});

test('whatever is changed, an editor with the JSON Schema and the parser agree whether it has the form of a policy', () => {
  const kinds = { agreed: 0, refused: 0 };
  fc.assert(
    fc.property(fc.constantFrom(...placesIn(EXAMPLE)), fc.constantFrom(...PIECES), (path, piece) => {
      const document = changed(EXAMPLE, path, piece);
      const accepted = complaintsOf(policySchema, document).length === 0;
      // Whether a zone exists no schema can say.
      fc.pre(path[0] !== 'timezone');
      expect([accepted, document]).toEqual([validate(document), document]);
      kinds[accepted ? 'agreed' : 'refused'] += 1;
    }),
    { numRuns: 1500 },
  );
  expect(Math.min(kinds.agreed, kinds.refused)).toBeGreaterThan(20);
});
