import type { Point, Run, RunKind } from '../catalog/records.ts';
import type { Policy, Schedule, SourcePolicy } from '../policy/model.ts';
import type { Facts, WorkFacts } from '../status/facts.ts';

export const NOW = Date.parse('2026-11-21T03:52:00Z');
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const GB = 1e9;

const ZONE = 'Asia/Ho_Chi_Minh';

/** A database with a journal and a directory of files, both carried offsite. */
export function shopPolicy(changes: Partial<Policy> = {}): Policy {
  return {
    stack: 'shop',
    timezone: ZONE,
    repositories: [
      repositoryOf('main', 'cellar', { capacity: 1000 * GB }),
      repositoryOf('offsite', 'Da Nang', {}),
    ],
    sources: [
      sourceOf('metadata', {
        system: {
          kind: 'postgres',
          url: { kind: 'env', name: 'METADATA_URL' },
          checkpoint: 'spread',
          evidence: true,
        },
        snapshot: cron('0 * * * *'),
        journal: { slot: 'holdfast', spoolOnSourceHost: false },
        objective: { rpo: 5 * MINUTE, copies: 2, places: 2 },
      }),
      sourceOf('media', { snapshot: cron('0 2 * * *'), objective: { rpo: DAY } }),
    ],
    copies: [
      {
        name: 'main → offsite',
        from: 'main',
        to: 'offsite',
        sources: ['metadata', 'media'],
        after: 'each snapshot',
        verify: { sample: 0.01, everything: 30 * DAY },
      },
    ],
    alerts: {
      channels: [
        { name: 'ops', severity: 'warning', about: [], kind: 'slack', url: { kind: 'env', name: 'SLACK' } },
      ],
      group: MINUTE,
      repeat: 4 * HOUR,
    },
    limits: { runs: 2, perSource: 1, perRepository: 2 },
    ...changes,
  };
}

/** All of it looked at lately, and as it should be. */
export function healthyFacts(changes: Partial<Facts> = {}): Facts {
  const database = NOW - 52 * MINUTE;
  const files = NOW - 8 * HOUR - 52 * MINUTE;
  return {
    beat: NOW - SECOND,
    holdings: ['main', 'offsite'].flatMap((repository) => [
      holdingOf(repository, 'metadata', database, 168),
      holdingOf(repository, 'media', files, 7),
    ]),
    windows: ['main', 'offsite'].map((repository) => ({
      repository,
      source: 'metadata',
      from: NOW - 7 * DAY,
      to: NOW - 2 * MINUTE,
    })),
    journals: [
      {
        source: 'metadata',
        state: 'streaming',
        seenAt: NOW - SECOND,
        spoolMoment: NOW - 2 * SECOND,
        repositoryMoment: NOW - MINUTE,
        since: NOW - 3 * DAY,
        restarts: 0,
      },
    ],
    work: [
      workOf('snapshot', 'metadata', HOUR, database),
      workOf('snapshot', 'media', DAY, files),
      withoutSchedule(workOf('copy', 'main → offsite', HOUR, database)),
      ...['main', 'offsite'].flatMap((repository) => [
        workOf('retention', repository, DAY, NOW - 5 * HOUR),
        workOf('check', repository, 7 * DAY, NOW - 2 * DAY),
      ]),
    ],
    sizes: Array.from({ length: 14 }, (_, day) => [
      { repository: 'main', at: NOW - day * DAY, bytes: 300 * GB - day * GB, free: 700 * GB },
      { repository: 'offsite', at: NOW - day * DAY, bytes: 280 * GB - day * GB },
    ]).flat(),
    checks: ['main', 'offsite'].map((repository) => ({
      repository,
      structureAt: NOW - 2 * DAY,
      dataRead: { fraction: 0.2, since: NOW - 9 * DAY },
    })),
    retentions: ['main', 'offsite'].map((repository) => ({ repository, at: NOW - 5 * HOUR })),
    findings: [],
    channels: [{ channel: 'ops', waiting: 0, lastDeliveredAt: NOW - DAY, givenUp: 0 }],
    spools: [],
    ...changes,
  };
}

export function pointOf(
  repository: string,
  source: string,
  time: number,
  original = `${source} ${time}`,
): Point {
  return {
    repository,
    snapshot: `${repository} ${original}`,
    original,
    source,
    kind: source === 'metadata' ? 'base' : 'snapshot',
    time,
    bytes: 100 * GB,
    added: GB,
    complete: true,
  };
}

function holdingOf(
  repository: string,
  source: string,
  time: number,
  points: number,
): Facts['holdings'][number] {
  const newest = pointOf(repository, source, time);
  return {
    repository,
    source,
    seenAt: time + 5 * MINUTE,
    points,
    oldest: NOW - 7 * DAY,
    newest,
    newestGood: newest,
  };
}

/** Of an occurrence at `last`, done in time, the next one an interval later. */
function workOf(kind: RunKind, about: string, interval: number, last: number): WorkFacts {
  return {
    kind,
    about,
    knownSince: NOW - 30 * DAY,
    previousDue: last,
    nextDue: last + interval,
    last: runOf(kind, about, last),
    usual: 5 * MINUTE,
  };
}

function withoutSchedule({ previousDue: _previous, nextDue: _next, ...work }: WorkFacts): WorkFacts {
  return work;
}

export function runOf(kind: RunKind, about: string, dueAt: number, changes: Partial<Run> = {}): Run {
  return {
    id: `run-${about}-${kind}`,
    kind,
    about,
    cause: 'schedule',
    dueAt,
    queuedAt: dueAt,
    startedAt: dueAt,
    endedAt: dueAt + 5 * MINUTE,
    attempt: 1,
    state: 'succeeded',
    steps: [],
    ...changes,
  };
}

function sourceOf(name: string, changes: Partial<SourcePolicy>): SourcePolicy {
  return {
    name,
    system: { kind: 'files', paths: ['/srv/media'], exclude: [], oneFileSystem: false },
    repository: 'main',
    snapshot: cron('0 2 * * *'),
    keep: { for: 7 * DAY },
    objective: {},
    hooks: [],
    limits: {},
    retry: { limit: 3, delay: MINUTE },
    priority: 'P2',
    ...changes,
  };
}

function repositoryOf(
  name: string,
  place: string,
  changes: Partial<Policy['repositories'][number]>,
): Policy['repositories'][number] {
  return {
    name,
    url: { kind: 'plain', text: `/srv/${name}` },
    password: { kind: 'env', name: 'PASSWORD' },
    options: [],
    place,
    sameHost: 'refused',
    limits: {},
    retention: cron('0 6 * * *'),
    check: { ...cron('0 4 * * 0'), everything: 30 * DAY },
    ...changes,
  };
}

function cron(expression: string): Schedule {
  return { when: { kind: 'cron', expression, timezone: ZONE }, jitter: 0, missed: 'once' };
}
