import { z } from 'zod';
import { DEFAULTS } from '../defaults.ts';
import { noted } from './notes.ts';
import { limits } from './repository.ts';
import { schedule } from './schedule.ts';
import { address, plainAddress, secret } from './secret.ts';
import { delay, duration, exactlyOne, name, oneOrMore, path, positive, rate, words } from './values.ts';

const paths = oneOrMore(path, 'a path such as /srv/media, or a list of them');

const files = z
  .union(
    [
      paths,
      z.strictObject(
        {
          paths: paths.meta({ description: 'directories and files' }),
          exclude: oneOrMore(words('a pattern'), 'a pattern such as "*.tmp", or a list of them')
            .optional()
            .meta({
              description: 'patterns of what is left out, as in restic',
              examples: [['*.tmp', '/srv/media/cache']],
            }),
          oneFileSystem: z
            .boolean({ error: 'true or false' })
            .optional()
            .meta({ description: 'leave out what is mounted below', default: DEFAULTS.oneFileSystem }),
        },
        { error: 'a path, a list of them, or { paths: …, exclude: … }' },
      ),
    ],
    { error: 'a path, a list of them, or { paths: …, exclude: … }' },
  )
  .meta({
    description: 'directories and files of this machine',
    examples: ['/srv/media', { paths: ['/srv'], exclude: ['*.tmp'] }],
  });

const SERVER_FORM = 'an address such as postgres://backup@db-1:5432/postgres';
const SERVER = /^postgres(?:ql)?:\/\/\S*$/;

const postgres = noted(
  z
    .union(
      [
        plainAddress(SERVER_FORM, SERVER),
        z.strictObject(
          {
            url: address(SERVER_FORM, SERVER).meta({
              description: 'of the server; by reference where it holds a password',
              examples: ['postgres://backup@db-1:5432/postgres?sslmode=verify-full', { env: 'METADATA_URL' }],
            }),
            password: secret
              .optional()
              .meta({ description: 'of the role, where the address has none and no file of libpq does' }),
            maxRate: rate
              .optional()
              .meta({ description: 'that the server may send a base with; no limit by default' }),
            checkpoint: z.enum(['fast', 'spread'], { error: 'fast or spread' }).optional().meta({
              description: 'begin a base at once, or let the server take its time',
              default: DEFAULTS.checkpoint,
            }),
            evidence: z.boolean({ error: 'true or false' }).optional().meta({
              description: 'count what is in it with each base, so that a restore can be compared',
              default: DEFAULTS.evidence,
            }),
          },
          { error: `${SERVER_FORM}, or { url: …, password: … }` },
        ),
      ],
      { error: `${SERVER_FORM}, or { url: …, password: … }` },
    )
    .meta({
      description: 'a PostgreSQL server, all of its databases',
      examples: [{ url: { env: 'METADATA_URL' } }],
    }),
  { secret: true },
);

const JOURNAL_FORM = 'continuous, or { slot: …, spool: … }';

const journal = z
  .union(
    [
      z.literal('continuous', { error: JOURNAL_FORM }),
      z.strictObject(
        {
          slot: z
            .string({ error: 'a name of small letters, digits and _' })
            .regex(/^[a-z0-9_]{1,63}$/, { error: 'a name of small letters, digits and _' })
            .optional()
            .meta({
              description: 'the replication slot on the server; `holdfast_` and the source’s name by default',
            }),
          spool: path.optional().meta({
            description:
              'where it is durable before the server hears that it is; below the state directory by default',
          }),
          spoolOnSourceHost: z.boolean({ error: 'true or false' }).optional().meta({
            description: 'whether the spool is lost with the source; found out where it can be by default',
          }),
        },
        { error: JOURNAL_FORM },
      ),
    ],
    { error: JOURNAL_FORM },
  )
  .meta({
    description: 'keep every change between snapshots, so that any moment can be restored',
    examples: ['continuous'],
  });

const count = (description: string) => positive.optional().meta({ description, examples: [7] });
const span = z
  .union([z.literal('forever'), duration], { error: 'a duration such as 7d, or forever' })
  .meta({ description: 'a duration, or `forever`' });

const KEEP_FORM = 'a duration such as 7d, forever, or rules such as { for: 7d, weekly: 5 }';
const KEEP_KEYS = {
  for: span.optional().meta({ description: 'all that is younger', examples: ['7d', '5y', 'forever'] }),
  last: count('the newest so many'),
  hourly: count('the newest of each of the last so many hours that have one'),
  daily: count('the newest of each of the last so many days that have one'),
  weekly: count('the newest of each of the last so many weeks that have one'),
  monthly: count('the newest of each of the last so many months that have one'),
  yearly: count('the newest of each of the last so many years that have one'),
};

export const keep = z
  .union(
    [
      span,
      z
        .strictObject(KEEP_KEYS, { error: KEEP_FORM })
        .refine((rules) => Object.values(rules).some((rule) => rule !== undefined), {
          error: 'at least one rule',
          when: ({ value }) => typeof value === 'object' && value !== null,
        })
        .meta({ minProperties: 1 }),
    ],
    { error: KEEP_FORM },
  )
  .meta({
    id: 'keep',
    description: 'what is kept while one of the rules keeps it; the newest good one always is',
    examples: ['7d', { for: '7d', weekly: 5, monthly: 12 }],
  });

const objective = z
  .strictObject(
    {
      rpo: duration.optional().meta({ description: 'the newest so much may be lost', examples: ['5m'] }),
      rto: duration.optional().meta({ description: 'it is back within', examples: ['1h'] }),
      copies: positive
        .optional()
        .meta({ description: 'repositories that hold the newest point', examples: [2] }),
      places: positive.optional().meta({ description: 'different places among them', examples: [2] }),
    },
    { error: 'objectives such as { rpo: 5m, rto: 1h }' },
  )
  .meta({
    id: 'objective',
    description: 'what is promised: measured, and alarmed when it is not kept',
    examples: [{ rpo: '5m', rto: '1h', copies: 2, places: 2 }],
  });

const command = z.string({ error: 'a command line' }).regex(/\S/, { error: 'a command line' });

const hook = exactlyOne(
  z.strictObject(
    {
      before: command
        .optional()
        .meta({ description: 'a command line for sh before a run', examples: ['systemctl stop app'] }),
      after: command.optional().meta({ description: 'one after it, however it went' }),
      onFailure: command.optional().meta({ description: 'one when it failed' }),
      timeout: duration
        .optional()
        .meta({ description: 'how long it may take', default: DEFAULTS.hookTimeout }),
      onError: z.enum(['stop', 'go on'], { error: 'stop or go on' }).optional().meta({
        description: 'what happens when it fails',
        default: DEFAULTS.hookOnError,
      }),
    },
    { error: 'a hook such as { before: "systemctl stop app" }' },
  ),
  ['before', 'after', 'onFailure'],
  'exactly one of before, after and onFailure',
).meta({
  id: 'hook',
  description: 'a command around each run',
  oneOf: [{ required: ['before'] }, { required: ['after'] }, { required: ['onFailure'] }],
});

const hold = z
  .union(
    [
      words('a reason, or { reason: …, until: … }'),
      z.strictObject(
        {
          reason: words('a reason').meta({ description: 'for people' }),
          until: z
            .string({ error: 'a date such as 2027-06-30' })
            .regex(/^\d{4}-\d\d-\d\d(?:T.+)?$/, { error: 'a date such as 2027-06-30' })
            .optional()
            .meta({
              description: 'a date, or a time with its zone; without it until it is taken out',
              examples: ['2027-06-30'],
            }),
        },
        { error: 'a reason, or { reason: …, until: … }' },
      ),
    ],
    { error: 'a reason, or { reason: …, until: … }' },
  )
  .meta({
    description: 'a legal hold: nothing of it is removed while this stands',
    examples: [{ reason: 'case 4711', until: '2027-06-30' }],
  });

const retry = z
  .strictObject(
    {
      limit: z
        .int({ error: 'a whole number from 0 on' })
        .min(0, { error: 'a whole number from 0 on' })
        .optional()
        .meta({
          description: 'so often',
          default: DEFAULTS.retry.limit,
        }),
      delay: delay.optional().meta({
        description: 'first after so long, then each time twice as long',
        default: DEFAULTS.retry.delay,
      }),
    },
    { error: 'such as { limit: 3, delay: 1m }' },
  )
  .meta({ description: 'a run that failed is tried again', examples: [{ limit: 3, delay: '1m' }] });

const KINDS = ['files', 'postgres'];

/** What the documents want and this version has no program for. */
const LATER = {
  s3: 'protect buckets',
  minio: 'protect buckets',
  redis: 'protect Redis',
  cassandra: 'protect Cassandra',
  cockroachdb: 'protect CockroachDB',
  git: 'protect Git repositories',
  kubernetes: 'protect Kubernetes',
  mysql: 'protect MySQL',
  drill: 'carry out drills',
  drills: 'carry out drills',
};

export const source = noted(
  exactlyOne(
    z.strictObject(
      {
        files: files.optional(),
        postgres: postgres.optional(),
        to: name.optional().meta({
          description: 'the repository that it is saved to; the first one by default',
          examples: ['main'],
        }),
        snapshot: schedule
          .optional()
          .meta({ description: 'when a snapshot is taken', default: DEFAULTS.snapshot }),
        journal: journal.optional(),
        keep: keep
          .optional()
          .meta({ description: 'how long its snapshots are kept', default: DEFAULTS.keep }),
        objective: objective.optional(),
        hooks: z
          .array(hook, { error: 'a list of hooks' })
          .optional()
          .meta({ description: 'commands around each run', default: [] }),
        limits: limits.optional().meta({ description: 'for its runs' }),
        hold: hold.optional(),
        retry: retry.optional(),
        priority: z.enum(['P1', 'P2', 'P3'], { error: 'P1, P2 or P3' }).optional().meta({
          description: 'the order in which sources come back',
          default: DEFAULTS.priority,
        }),
      },
      { error: 'a source: files or postgres, and how it is kept' },
    ),
    KINDS,
    'what is protected, exactly one of files and postgres',
  ).meta({
    id: 'source',
    description: 'one protected system',
    oneOf: KINDS.map((key) => ({ required: [key] })),
  }),
  { later: LATER },
);
