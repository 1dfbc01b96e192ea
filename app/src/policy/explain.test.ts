import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkCron } from '../schedule/cron.ts';
import { FOREVER } from './duration.ts';
import { explainPolicy } from './explain.ts';
import type { PlainOrSecret, Policy, Schedule, SecretReference } from './model.ts';
import { parsePolicy } from './parse.ts';

const outside = { timezone: 'UTC', homeDirectory: '/home/anna', checkCron };

test('what is explained means the same when it is read again, anywhere', () => {
  fc.assert(
    fc.property(policies(), (policy) => {
      expect(parsePolicy(explainPolicy(policy), outside)).toEqual({ policy });
    }),
    { numRuns: 200 },
  );
});

test('what would hold anyway is said to', () => {
  const parsed = parsePolicy(
    'repositories: { main: { url: /srv, password: { env: X } } }\nsources: { a: { files: /x, priority: P1 } }',
    outside,
  );
  if (!('policy' in parsed)) throw new Error('no policy');
  const text = explainPolicy(parsed.policy);
  expect(text).toContain('keep: { for: 7d, weekly: 5, monthly: 12 } # default\n');
  expect(text).toContain('sameHost: refused # default\n');
  expect(text).toContain('priority: P1\n');
});

const NAMES = ['main', 'offsite', '3rd', 'a-b'];
const spans = fc.integer({ min: 1, max: FOREVER });
const bytes = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const counts = fc.integer({ min: 1, max: 10_000 });
const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Ho_Chi_Minh');
/** Whatever a person may write, also what YAML would take for something else. */
const words = fc.oneof(
  fc.constantFrom(
    'yes',
    '5',
    '~',
    'null',
    '# no comment',
    '- x',
    '{ a: b }',
    '"',
    'é…',
    '1e3',
    '2026-01-01',
    '*x',
  ),
  fc.stringMatching(/^[ -~]{0,20}[!-~][ -~]{0,20}$/),
);
const paths = words.map((text) => `/srv/${text}`);

function optional<T>(value: fc.Arbitrary<T>, key: string): fc.Arbitrary<Record<string, T>> {
  return fc
    .option(value, { nil: undefined })
    .map((each) => (each === undefined ? {} : { [key]: each }) as Record<string, T>);
}

function merged<T>(...parts: fc.Arbitrary<object>[]): fc.Arbitrary<T> {
  return fc.tuple(...parts).map((all) => Object.assign({}, ...all) as T);
}

const secrets: fc.Arbitrary<SecretReference> = fc.oneof(
  fc.stringMatching(/^[A-Za-z_]\w{0,9}$/).map((name) => ({ kind: 'env' as const, name })),
  paths.map((path) => ({ kind: 'file' as const, path })),
  words.map((command) => ({ kind: 'command' as const, command })),
);

function texts(...plain: string[]): fc.Arbitrary<PlainOrSecret> {
  return fc.oneof(
    fc.constantFrom(...plain).map((text) => ({ kind: 'plain' as const, text })),
    secrets,
  );
}

const schedules: fc.Arbitrary<Schedule> = fc.oneof(
  fc.constant<Schedule>({ when: { kind: 'never' }, jitter: 0, missed: 'once' }),
  fc.record({
    when: fc.oneof(
      fc.record({
        kind: fc.constant('cron' as const),
        expression: fc.constantFrom('0 2 * * *', '*/5 * * * *', '@daily', '0 0 1 1 0'),
        timezone: zones,
      }),
      fc.record({ kind: fc.constant('every' as const), interval: spans }),
    ),
    jitter: fc.integer({ min: 0, max: FOREVER }),
    missed: fc.constantFrom('once', 'skip'),
  }),
);

const rates = merged<Policy['repositories'][number]['limits']>(
  optional(bytes, 'upload'),
  optional(bytes, 'download'),
  optional(counts, 'requests'),
);

const keeps = merged<Policy['sources'][number]['keep']>(
  spans.map((span) => ({ for: span })),
  ...['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'].map((key) => optional(counts, key)),
);

function repositories(name: string): fc.Arbitrary<Policy['repositories'][number]> {
  return merged(
    fc.record({
      name: fc.constant(name),
      url: texts('/srv/b', 's3:https://host/b', 'sftp:u@h:/b', 'rest:https://host:8000/x/', 'local:/a:b'),
      password: secrets,
      options: fc.uniqueArray(
        fc.record({
          name: fc.constantFrom('s3.region', 'sftp.connections', 'cacert'),
          value: texts('5', 'eu', 'true'),
        }),
        { selector: (option) => option.name },
      ),
      place: words,
      sameHost: fc.constantFrom('refused', 'accepted'),
      limits: rates,
      retention: schedules,
      // What never happens has no pace.
      check: fc.tuple(schedules, spans).map(([schedule, everything]) => ({
        ...schedule,
        everything: schedule.when.kind === 'never' ? 30 * 86_400_000 : everything,
      })),
    }),
    optional(bytes, 'capacity'),
  );
}

const hooks = fc.record({
  when: fc.constantFrom('before', 'after', 'on failure'),
  command: words,
  timeout: spans,
  onError: fc.constantFrom('stop', 'go on'),
});

const systems = fc.oneof(
  fc.record({
    kind: fc.constant('files' as const),
    paths: fc.array(paths, { minLength: 1, maxLength: 3 }),
    exclude: fc.array(words, { maxLength: 2 }),
    oneFileSystem: fc.boolean(),
  }),
  merged<Policy['sources'][number]['system']>(
    fc.record({
      kind: fc.constant('postgres' as const),
      url: texts('postgres://u@h:5432/d?sslmode=require'),
      checkpoint: fc.constantFrom('fast', 'spread'),
      evidence: fc.boolean(),
    }),
    optional(secrets, 'password'),
    optional(bytes, 'maxRate'),
  ),
);

function sources(name: string): fc.Arbitrary<Policy['sources'][number]> {
  const journal = merged<object>(
    fc.record({ slot: fc.stringMatching(/^[a-z0-9_]{1,20}$/) }),
    fc.constant({ spool: `/var/spool/${name}` }),
    optional(fc.boolean(), 'spoolOnSourceHost'),
  );
  return merged(
    fc.record({
      name: fc.constant(name),
      repository: fc.constantFrom('main', 'offsite'),
      snapshot: schedules,
      keep: keeps,
      objective: merged<object>(
        optional(spans, 'rpo'),
        optional(spans, 'rto'),
        optional(counts, 'copies'),
        optional(counts, 'places'),
      ),
      hooks: fc.array(hooks, { maxLength: 2 }),
      limits: rates,
      retry: fc.record({ limit: fc.nat(100), delay: fc.nat(FOREVER) }),
      priority: fc.constantFrom('P1', 'P2', 'P3'),
    }),
    systems.chain((system) =>
      system.kind === 'files'
        ? fc.constant({ system })
        : merged<object>(fc.constant({ system }), optional(journal, 'journal')),
    ),
    optional(
      merged<object>(
        words.map((reason) => ({ reason })),
        optional(fc.integer({ min: 0, max: 4e12 }), 'until'),
      ),
      'hold',
    ),
  );
}

const channels = fc.oneof(
  fc.record({ kind: fc.constant('slack' as const), url: secrets }),
  merged<object>(
    fc.record({ kind: fc.constant('webhook' as const), url: texts('https://example.com/x') }),
    optional(secrets, 'secret'),
  ),
  fc.record({
    kind: fc.constant('email' as const),
    to: fc.array(fc.constantFrom('a@b.c', 'ops@example.com'), { minLength: 1, maxLength: 2 }),
    from: fc.constant('me@example.com'),
    server: texts('smtp://localhost:25', 'smtps://mail.example'),
  }),
);

function policies(): fc.Arbitrary<Policy> {
  const copies = fc.record({
    name: words,
    from: fc.constant('main'),
    to: fc.constantFrom('offsite', '3rd', 'a-b'),
    sources: fc.uniqueArray(fc.constantFrom('s1', 's2'), { minLength: 1 }),
    after: fc.oneof(fc.constant('each snapshot' as const), schedules),
    verify: fc.record({
      sample: fc.double({ min: 0, max: 1, noNaN: true }).map((share) => share + 0),
      everything: spans,
    }),
  });
  return fc.record({
    stack: words,
    timezone: zones,
    repositories: fc.tuple(...NAMES.map(repositories)),
    sources: fc.tuple(sources('s1'), sources('s2').map(withoutSpool)),
    copies: fc.uniqueArray(merged<Policy['copies'][number]>(copies, optional(keeps, 'keep')), {
      maxLength: 3,
      selector: ({ name }) => name,
    }),
    alerts: merged<Policy['alerts']>(
      fc.record({
        channels: fc.uniqueArray(
          merged<Policy['alerts']['channels'][number]>(
            fc.record({
              name: words,
              severity: fc.constantFrom('critical', 'warning', 'info'),
              about: fc.uniqueArray(fc.constantFrom('s1', 'main'), { maxLength: 2 }),
            }),
            channels,
          ),
          { maxLength: 3, selector: ({ name }) => name },
        ),
        group: spans,
        repeat: spans,
      }),
      optional(fc.record({ url: texts('https://ping.example/1'), interval: spans }), 'ping'),
    ),
    limits: merged<Policy['limits']>(
      fc.record({ runs: counts, perSource: counts, perRepository: counts }),
      rates,
    ),
  }) as fc.Arbitrary<Policy>;
}

/** Two sources cannot share one. */
function withoutSpool(source: Policy['sources'][number]): Policy['sources'][number] {
  if (source.journal === undefined) return source;
  const { spool: _, ...journal } = source.journal;
  return { ...source, journal };
}
