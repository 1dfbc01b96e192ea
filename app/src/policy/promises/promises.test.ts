import { expect, test } from 'vitest';
import { longestGapFrom } from '../../operations/policy/schedule-gap.ts';
import { checkCron } from '../../schedule/cron.ts';
import type { Policy } from '../model.ts';
import { parsePolicy } from '../parse.ts';
import type { HostFact, PolicyFacts, RepositoryFacts, SourceFacts } from './facts.ts';
import { checkPromises } from './promises.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const HERE: HostFact = { here: true, addresses: [] };

function host(name: string, ...addresses: string[]): HostFact {
  return { here: false, name, addresses };
}

/** Nothing is the matter with it when everything is known. */
const GOOD = `
timezone: Europe/Berlin
repositories:
  main: { url: s3:https://minio.example/b, password: { env: X }, place: cellar, capacity: 1 TB }
  far: { url: sftp:b@far.example:/b, password: { env: X }, place: hill, capacity: 1 TB }
sources:
  db:
    postgres: postgres://u@db.example/x
    snapshot: "0 * * * *"
    journal: { spoolOnSourceHost: false }
    keep: 7d
    objective: { rpo: 5m, copies: 2, places: 2 }
copies: [ { from: main, to: far } ]
alerts: [ { email: a@b.c }, { ping: { env: PING } } ]
`;

function policyOf(text: string): Policy {
  const parsed = parsePolicy(text, { timezone: 'UTC', homeDirectory: '/root', checkCron });
  if ('policy' in parsed) return parsed.policy;
  throw new Error(JSON.stringify(parsed.problems));
}

interface Known {
  readonly main?: RepositoryFacts;
  readonly far?: RepositoryFacts;
  readonly db?: SourceFacts;
}

function factsOf({ main, far, db }: Known = {}): PolicyFacts {
  return {
    repositories: new Map([
      ['main', main ?? { host: host('minio.example') }],
      ['far', far ?? { host: host('far.example'), removable: false }],
    ]),
    sources: new Map([
      ['db', db ?? { hosts: [host('db.example')], devices: [], bytes: 50e9, added: 1e9, missing: [] }],
    ]),
    secrets: [],
  };
}

function codesOf(policy: string, facts: PolicyFacts = factsOf()): string[] {
  return checkPromises(policyOf(policy), facts, longestGapFrom(NOW)).map(
    ({ severity, code }) => `${severity} ${code}`,
  );
}

test('of a policy that keeps what it promises nothing is said', () => {
  expect(codesOf(GOOD)).toEqual([]);
});

test.each<[string, string, string, string[]]>([
  [
    'no journal',
    'journal: { spoolOnSourceHost: false }',
    'priority: P1',
    ['error policy.rpo-without-journal'],
  ],
  [
    'a journal whose spool is where the source is',
    'spoolOnSourceHost: false',
    'spoolOnSourceHost: true',
    ['note policy.spool-on-source-host'],
  ],
  [
    'no second copy',
    'copies: [ { from: main, to: far } ]',
    '',
    ['warning policy.no-offsite-copy', 'error policy.too-few-copies', 'error policy.too-few-places'],
  ],
  [
    'all copies at one place',
    'place: hill',
    'place: cellar',
    ['warning policy.no-offsite-copy', 'error policy.too-few-places'],
  ],
  [
    'more copies promised than made',
    'copies: 2, places: 2',
    'copies: 3, places: 2',
    ['error policy.too-few-copies'],
  ],
  ['places that nobody named', 'place: hill, ', '', ['note policy.place-assumed']],
  [
    'a copy rarer than its RPO',
    '{ from: main, to: far }',
    '{ from: main, to: far, after: "0 6 * * *" }',
    ['warning policy.rpo-copy-rarer'],
  ],
  [
    'a copy that is never made',
    '{ from: main, to: far }',
    '{ from: main, to: far, after: never }',
    ['warning policy.rpo-copy-rarer'],
  ],
  ['snapshots that never come', 'snapshot: "0 * * * *"', 'snapshot: never', ['warning policy.no-snapshot']],
  ['a retention shorter than the interval', 'keep: 7d', 'keep: 30m', ['warning policy.retention-short']],
  [
    'a copy’s retention shorter than the interval',
    '{ from: main, to: far }',
    '{ from: main, to: far, keep: 30m }',
    ['warning policy.retention-short'],
  ],
  [
    'too little space',
    'place: hill, capacity: 1 TB',
    'place: hill, capacity: 100 GB',
    ['error policy.space-short'],
  ],
  [
    'hardly enough space',
    'place: hill, capacity: 1 TB',
    'place: hill, capacity: 220 GB',
    ['warning policy.space-tight'],
  ],
  ['a storage of unknown size', 'place: hill, capacity: 1 TB', 'place: hill', ['note policy.space-unknown']],
  ['nobody who is told', '{ email: a@b.c }, ', '', ['warning policy.no-alerts']],
  [
    'alerts that leave something out',
    '{ email: a@b.c }',
    '{ email: a@b.c, about: [ db, main ] }',
    ['warning policy.alerts-leave-out'],
  ],
  ['nobody who misses us', ', { ping: { env: PING } }', '', ['note policy.no-ping']],
  ['no retention', 'place: hill', 'place: hill, retention: never', ['note policy.no-retention']],
  ['no check', 'place: hill', 'place: hill, check: never', ['warning policy.no-check']],
  [
    'a place behind a reference',
    'sftp:b@far.example:/b, password: { env: X }, place: hill',
    '{ env: FAR }, password: { env: X }',
    ['note policy.place-unknown', 'error policy.too-few-places'],
  ],
])('%s is found', (_, from, to, expected) => {
  expect(GOOD).toContain(from);
  expect(codesOf(GOOD.replace(from, to))).toEqual(expected);
});

const removable = { host: host('far.example') };

test.each<[string, Known, string[]]>([
  ['on the host of its source by name', { main: { host: host('db.example') } }, ['error policy.same-host']],
  [
    'on the host of its source by address',
    {
      main: { host: host('minio.example', '10.0.0.1') },
      db: { hosts: [host('db.example', '10.0.0.1')], devices: [], bytes: 1, missing: [] },
    },
    ['error policy.same-host'],
  ],
  [
    'on this machine, as its source',
    {
      main: { host: HERE },
      db: { hosts: [HERE], devices: [], bytes: 1, missing: [] },
    },
    ['error policy.same-host'],
  ],
  [
    'on the disk of its source',
    {
      main: { host: HERE, device: '7' },
      db: { hosts: [HERE], devices: ['7'], bytes: 1, missing: [] },
    },
    ['error policy.same-device'],
  ],
  [
    'on one host of a cluster',
    {
      main: { host: host('db-2') },
      db: { hosts: [host('db-1'), host('db-2')], devices: [], bytes: 1, missing: [] },
    },
    ['error policy.same-host'],
  ],
  ['nobody knows where', { main: {} }, ['note policy.host-unknown']],
  ['open to a thief', { far: { ...removable, removable: true } }, ['warning policy.copy-removable']],
  ['not looked at', { far: removable }, ['note policy.copy-removable-unknown']],
])('a repository %s is told of', (_, known, expected) => {
  expect(codesOf(GOOD, factsOf(known))).toEqual(expected);
});

test('what is accepted is still said, and is no error', () => {
  const policy = GOOD.replace('place: cellar', 'place: cellar, sameHost: accepted');
  expect(codesOf(policy, factsOf({ main: { host: host('db.example') } }))).toEqual(['note policy.same-host']);
});

test('a size that nobody knows is never taken for one that fits', () => {
  const facts = factsOf({ db: { hosts: [host('db.example')], devices: [], missing: [] } });
  expect(codesOf(GOOD, facts)).toEqual(['note policy.space-unknown', 'note policy.space-unknown']);
});

test('a daily snapshot nearly keeps an RPO of a day, also when the clocks change', () => {
  const daily = GOOD.replace('journal: { spoolOnSourceHost: false }', '').replace(
    '"0 * * * *"',
    '"0 2 * * *"',
  );
  expect(codesOf(daily.replace('rpo: 5m', 'rpo: 24h'))).toEqual(['warning policy.rpo-tight']);
  expect(codesOf(daily.replace('rpo: 5m', 'rpo: 27h'))).toEqual([]);
  expect(codesOf(daily.replace('rpo: 5m', 'rpo: 12h'))).toEqual(['error policy.rpo-without-journal']);
});

test('a copy of a copy counts as one', () => {
  const chain = GOOD.replace(
    'sources:',
    '  third: { url: rest:https://x.example/, password: { env: X }, place: sea, capacity: 1 TB }\nsources:',
  )
    .replace('{ from: main, to: far }', '{ from: main, to: far }, { from: far, to: third }')
    .replace('copies: 2, places: 2', 'copies: 3, places: 3');
  expect(codesOf(chain)).toEqual(['note policy.host-unknown', 'note policy.copy-removable-unknown']);
});

test('a copy from where nothing is saved is told of', () => {
  const spare = '  spare: { url: rest:https://x.example/, password: { env: X } }\nsources:';
  const policy = GOOD.replace('sources:', spare).replace(
    '{ from: main, to: far }',
    '{ from: main, to: far }, { from: spare, to: far }',
  );
  expect(codesOf(policy)).toEqual(['warning policy.copy-empty']);
});
