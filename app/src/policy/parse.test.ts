import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkCron } from '../schedule/cron.ts';
import { type ParsedPolicy, parsePolicy } from './parse.ts';

const outside = { timezone: 'Europe/Berlin', homeDirectory: '/home/anna', checkCron };

function parse(text: string): ParsedPolicy {
  return parsePolicy(text, outside);
}

function policyOf(text: string) {
  const parsed = parse(text);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems, null, 2));
  return parsed.policy;
}

function problemsOf(text: string) {
  const parsed = parse(text);
  return 'problems' in parsed ? parsed.problems : [];
}

const SHORT = `
repositories:
  main: { url: ~/backup, password: { file: ~/.password } }
sources:
  home: { files: ~/ }
`;

test('a repository and a source are a policy', () => {
  const { repositories, sources, copies, timezone } = policyOf(SHORT);
  expect(repositories[0]).toMatchObject({
    url: { kind: 'plain', text: '/home/anna/backup' },
    password: { kind: 'file', path: '/home/anna/.password' },
    sameHost: 'refused',
  });
  expect(sources[0]).toMatchObject({
    name: 'home',
    repository: 'main',
    system: { kind: 'files', paths: ['/home/anna/'], exclude: [] },
    snapshot: { when: { kind: 'cron', expression: '0 2 * * *', timezone: 'Europe/Berlin' } },
  });
  expect([copies, timezone]).toEqual([[], 'Europe/Berlin']);
});

const LONG = `
stack: secureconnect
timezone: Asia/Ho_Chi_Minh
repositories:
  main:    { url: s3:https://minio.internal/holdfast, password: { file: /run/secrets/main } }
  offsite: { url: sftp://backup@offsite.example/srv/holdfast, password: { file: /run/secrets/offsite } }
  third:   { url: { env: THIRD }, password: { command: pass show third }, limits: { upload: 20 MiB/s } }
sources:
  metadata:
    postgres: { url: { env: METADATA_URL } }
    snapshot: "0 * * * *"          # hourly
    journal: continuous            # every moment in between
    keep: { for: 7d }
    objective: { rpo: 5m, rto: 1h }
  media:
    files: [/srv/media]
    snapshot: { every: 5s }
    keep: forever
    hold: { reason: case 4711, until: 2027-06-30 }
copies:
  - { from: main, to: offsite, after: each snapshot }
  - { from: offsite, to: third, after: "0 6 * * *", verify: { sample: 5 % } }
alerts: [ { slack: { env: SLACK_WEBHOOK } }, { email: ops@example.com } ]
`;

test('a policy of several parts means what a person would guess', () => {
  const { repositories, sources, copies, alerts } = policyOf(LONG);
  const [metadata, media] = sources;
  expect(repositories.map(({ place }) => place)).toEqual(['minio.internal', 'offsite.example', 'unknown']);
  expect(metadata).toMatchObject({
    repository: 'main',
    journal: { slot: 'holdfast_metadata' },
    keep: { for: 7 * 86_400_000 },
    objective: { rpo: 300_000, rto: 3_600_000 },
    snapshot: { when: { timezone: 'Asia/Ho_Chi_Minh' } },
  });
  expect(media?.snapshot).toMatchObject({ when: { kind: 'every', interval: 5000 } });
  // A hold until a day holds to the end of that day, in the policy's zone.
  expect(media?.hold?.until).toBe(Date.parse('2027-07-01T00:00:00+07:00'));
  expect(copies[0]).toMatchObject({ name: 'main → offsite', after: 'each snapshot' });
  expect(copies[1]).toMatchObject({ sources: ['metadata', 'media'], verify: { sample: 0.05 } });
  expect(alerts.channels.map(({ name, kind }) => [name, kind])).toEqual([
    ['slack', 'slack'],
    ['email', 'email'],
  ]);
});

/** The short policy with a line added to its source. */
function withLine(line: string): string {
  return `${SHORT.trimEnd().replace('{ files: ~/ }', '')}\n    files: ~/\n    ${line}\n`;
}

test.each<[string, string, string]>([
  ['snapshots: "0 2 * * *"', 'did you mean `snapshot`?', 'snapshots'],
  ['keep: { for: 5 minutes }', 'did you mean `5m`?', '5 minutes'],
  ['keep: { fro: 5m }', 'did you mean `for`?', 'fro'],
  ['objective: { rpo: 5 }', 'write a unit behind it', '5'],
  ['priority: p1', 'did you mean `P1`?', 'p1'],
  ['to: mian', 'did you mean `main`?', 'mian'],
  ['limits: { upload: 10mb }', 'did you mean `10 MB/s`?', '10mb'],
  ['snapshot: nver', 'did you mean `never`?', 'nver'],
  ['snapshot: 15m', 'did you mean `{ every: 15m }`?', '15m'],
  ['hold: { reason: x, until: 2027-13-01 }', 'write 2027-06-30, or 2027-06-30T12:00:00Z', '2027-13-01'],
  ['journal: continuous', 'take snapshots more often: `snapshot: { every: 15m }`', 'journal'],
])('%s is told with what was meant: %s', (line, suggestion, marked) => {
  const text = withLine(line);
  const [problem, ...others] = problemsOf(text);
  expect(others).toEqual([]);
  expect(problem).toMatchObject({ line: 7, suggestion });
  const { column, length, excerpt, offset } = problem ?? { column: 0, length: 0, excerpt: '', offset: 0 };
  expect(excerpt.slice(offset, offset + length)).toBe(marked);
  expect(text.split('\n')[6]).toMatch(excerpt.slice(0, column - 1));
});

test.each<[string, RegExp]>([
  ['s3: { bucket: media }', /this version cannot protect buckets yet/],
  ['redis: redis://cache', /cannot protect Redis yet/],
  ['cassandra: {}', /cannot protect Cassandra yet/],
  ['cockroachdb: x', /cannot protect CockroachDB yet/],
  ['kubernetes: x', /cannot protect Kubernetes yet/],
  ['git: x', /cannot protect Git repositories yet/],
  ['drills: nightly', /cannot carry out drills yet/],
])('%s is refused with a clear word, not ignored', (line, message) => {
  expect(problemsOf(withLine(line))).toEqual([
    expect.objectContaining({ message: expect.stringMatching(message) }),
  ]);
});

test('everything that is wrong is told at once, in the order of the text', () => {
  const problems = problemsOf(`
timezone: Europe/Berln
repositories:
  main: { url: relative, pasword: { env: X } }
sources:
  home: { files: [], snapshot: 99 * * * *, to: nowhere }
  Other: { files: /x }
  db: { postgres: mysql://x }
copies: [ { from: main, to: main } ]
drils: nightly
`);
  expect(problems.map(({ path }) => path)).toEqual([
    'timezone',
    'repositories.main',
    'repositories.main.url',
    'repositories.main.pasword',
    'sources.home.files',
    'sources.home.snapshot',
    'sources.home.to',
    'sources.Other',
    'sources.db.postgres',
    'copies[1].to',
    'drils',
  ]);
});

const SECRET = 'hunter2-Xq';

test.each([
  `repositories: { main: { url: /srv, password: ${SECRET} } }\nsources: { a: { files: /x } }`,
  `repositories: { main: { url: "rest:https://u:${SECRET}@host/", password: { env: X } } }`,
  `repositories: { main: { url: "s3:https://host/b?password=${SECRET}", password: { env: X } } }`,
  `repositories: { main: { pasword: ${SECRET}, sameHost: acepted } }`,
  `repositories: { main: { pasword: "${SECRET}, more", sameHost: acepted } }`,
  `repositories: { main: { password: { vault: ${SECRET}, env: 5 } } }`,
  `repositories: { main: { password: { env: "${SECRET}" } } }`,
  `repositories: { main: { options: { rest.password: ${SECRET} } } }`,
  `sources: { db: { postgres: "postgres://u:${SECRET}@host/db" } }`,
  `sources: { db: { postgres: { url: "postgres://h/db?password=${SECRET}", maxRate: fast } } }`,
  `sources: { db: { postgres: { password: ${SECRET}, checkpoint: fats } } }`,
  `copies:\n  - { password: ${SECRET}, to: x }`,
  `copies:\n  - { token: '${SECRET}' }`,
  `alerts: [ { slack: ${SECRET} }, { webhook: "https://u:${SECRET}@host", severity: hgih } ]`,
  `alerts: [ { webhook: https://host, secret: ${SECRET}, severity: hgih } ]`,
  `password: "${SECRET}\nsources: x`,
  `password: @${SECRET}`,
  `password: ${SECRET}: x`,
  `password: *${SECRET}`,
  `repositories: { main: { password: [${SECRET}] } }`,
  `repositories: { main: { pasword: [${SECRET}], sameHost: acepted } }`,
  `copies:\n  - { pasword: [a, ${SECRET}] }`,
  `repositories: { main: { password: 7134, place: '' } }`.replace('7134', SECRET),
])('a secret in the clear is refused and never repeated: %#', (text) => {
  const problems = problemsOf(text);
  expect(problems.length).toBeGreaterThan(0);
  expect(JSON.stringify(problems)).not.toContain(SECRET);
});

test('a secret is not repeated either when a slip of the finger makes it something else', () => {
  const text = `stack: s
repositories:
  main:    { url: "s3:https://h/b", password: ${SECRET}, place: x }
  off:
    url: rest:https://u:${SECRET}@h/
    password: "${SECRET}"
    options: { rest.password: '${SECRET}' }
sources:
  db:
    postgres: { url: postgres://u:${SECRET}@h/d, password: ${SECRET}, maxRate: 5 MB/s }
alerts: [ { slack: ${SECRET} }, { webhook: https://h, secret: ${SECRET} } ]
`;
  const slips = fc.constantFrom('', ...':"\'{}[]\n\t*&!,#| ');
  fc.assert(
    fc.property(fc.constantFrom(...text.split('').keys()), slips, fc.boolean(), (at, slip, over) => {
      const slipped = text.slice(0, at) + slip + text.slice(over ? at + 1 : at);
      expect(JSON.stringify(problemsOf(slipped))).not.toContain(SECRET);
    }),
    { numRuns: 1000 },
  );
});

test('a secret in the clear is told how to be referred to', () => {
  const [problem] = problemsOf(SHORT.replace('{ file: ~/.password }', SECRET));
  expect(problem).toMatchObject({
    path: 'repositories.main.password',
    message: 'a secret must not stand in a policy',
    suggestion: expect.stringContaining('password: { file: /run/secrets/'),
  });
});

test('there is no interpolation: it is refused where it would be a text', () => {
  const [problem] = problemsOf(SHORT.replace('~/backup', `"s3:https://$${'{HOST}'}/b"`));
  expect(problem).toMatchObject({ path: 'repositories.main.url', suggestion: 'write `url: { env: NAME }`' });
});

test.each<[string, RegExp]>([
  ['', /nothing is written here/],
  ['a: 1\na: 2\n', /this key stands here a second time/],
  ['a: !!str 5\n', /tags/],
  ['a: !secret 5\n', /tags/],
  ['%YAML 1.1\n---\na: yes\n', /only YAML 1.2/],
  ['a: 1\n---\nb: 2\n', /a second document/],
  ['a: &a { b: 1 }\nc: { <<: *a }\n', /merge keys/],
  ['__proto__: { polluted: true }\n', /a key is a plain word/],
  ['? [a]\n: b\n', /a key is a plain word/],
  ['a: &a [*a]\n', /too much is nested or repeated/],
  [`${'['.repeat(20_000)}`, /./],
  [`a: ${'['.repeat(100)}${']'.repeat(100)}`, /too much is nested/],
  [`a: "${'x'.repeat(1024 * 1024)}"`, /larger than 1 MiB/],
  ['sources: { home: { files: /x, snapshot: */5 * * * * } }', /a “\*” at the beginning/],
])('what is no document is said to be none: %#', (text, message) => {
  expect(problemsOf(text)[0]?.message).toMatch(message);
});

test('a few lines of aliases cannot unfold to gigabytes', () => {
  const lines = Array.from({ length: 30 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at},`.repeat(10)}]`);
  const begun = performance.now();
  expect(problemsOf(['a0: &a0 x', ...lines].join('\n'))[0]?.message).toMatch(/too much/);
  expect(performance.now() - begun).toBeLessThan(5000);
});

test.each([
  ['keys that nobody knows', Array.from({ length: 100_000 }, (_, at) => `key${at}: x`).join('\n')],
  ['one long line of them', `{ ${Array.from({ length: 60_000 }, (_, at) => `k${at}: x`).join(', ')} }`],
  ['one long word', `stack: ${'a'.repeat(1_000_000)}`],
  ['one long key', `${'a'.repeat(1000)}: ${' '.repeat(1_000_000)}`],
  ['one long quote', `stack: "${'\\\\'.repeat(400_000)}`],
])('a megabyte of nonsense is refused soon: %s', (_, text) => {
  const begun = process.cpuUsage();
  const problems = problemsOf(text);
  expect(problems.length).toBeGreaterThan(0);
  expect(problems.length).toBeLessThanOrEqual(100);
  expect(JSON.stringify(problems).length).toBeLessThan(100_000);
  // Microseconds of this process alone, whatever else the machine does.
  expect(process.cpuUsage(begun).user).toBeLessThan(10_000_000);
});

test('an anchor may be used again', () => {
  const text = LONG.replace('keep: { for: 7d }', 'keep: &week { for: 7d }').replace(
    'keep: forever',
    'keep: *week',
  );
  expect(policyOf(text).sources[1]?.keep).toEqual({ for: 7 * 86_400_000 });
});

test('whatever letter is lost, the answer is a policy or places in the text', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...LONG.split('').keys()),
      fc.constantFrom('', ':', '"', '{', '\t', '\n', '*'),
      (at, by) => {
        const text = LONG.slice(0, at) + by + LONG.slice(at + 1);
        const lines = text.split('\n');
        for (const { line, column, message } of problemsOf(text)) {
          expect(message).not.toBe('');
          expect(line).toBeLessThanOrEqual(lines.length);
          expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 2);
        }
      },
    ),
    { numRuns: 300 },
  );
});
