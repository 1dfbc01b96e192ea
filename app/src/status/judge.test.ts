import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OpenFinding } from '../catalog/records.ts';
import type { Policy } from '../policy/model.ts';
import {
  DAY,
  GB,
  HOUR,
  healthyFacts,
  MINUTE,
  NOW,
  pointOf,
  runOf,
  SECOND,
  shopPolicy,
} from '../testing/healthy-stack.ts';
import type { Facts, Holding, WorkFacts } from './facts.ts';
import { judge } from './judge.ts';
import type { Status, Verdict } from './status.ts';

const failure = { code: 'source.auth', message: 'the source refused the login', hint: 'Was it rotated?' };
const damage: OpenFinding = {
  severity: 'error',
  code: 'pack.blob-damaged',
  subject: 'pack 1a2b3c4d',
  message: 'a blob is not what its name says',
  repository: 'main',
  snapshots: [],
  foundAt: NOW - HOUR,
  seenAt: NOW - HOUR,
};

interface Trouble {
  readonly name: string;
  readonly facts: Facts;
  readonly policy?: Policy;
  readonly code: string;
  readonly about: string;
  readonly verdict: Verdict;
}

/** Each: what is different from a healthy stack, and what must be said of it. */
const troubles: readonly Trouble[] = [
  {
    name: 'a run that failed and is tried again by itself',
    facts: withWork('snapshot', 'media', {
      last: runOf('snapshot', 'media', NOW - 9 * HOUR, { state: 'failed', failure }),
      open: runOf('snapshot', 'media', NOW + 8 * MINUTE, { state: 'waiting', cause: 'retry', attempt: 2 }),
    }),
    code: 'run.failed',
    about: 'media',
    verdict: 'at risk',
  },
  {
    name: 'a run that failed for good',
    facts: withWork('snapshot', 'media', {
      last: runOf('snapshot', 'media', NOW - 8 * HOUR, { state: 'failed', failure }),
    }),
    code: 'run.failed',
    about: 'media',
    verdict: 'broken',
  },
  {
    name: 'a run that was due and did not happen',
    facts: withWork('snapshot', 'media', { previousDue: NOW - 2 * HOUR, nextDue: NOW + 22 * HOUR }),
    code: 'run.missed',
    about: 'media',
    verdict: 'broken',
  },
  {
    name: 'a retention that was due and did not happen',
    facts: withWork('retention', 'main', { previousDue: NOW - 2 * HOUR, nextDue: NOW + 22 * HOUR }),
    code: 'run.missed',
    about: 'main',
    verdict: 'at risk',
  },
  {
    name: 'a run that was queued long ago and has not begun',
    facts: withWork('snapshot', 'metadata', {
      previousDue: NOW - 40 * MINUTE,
      nextDue: NOW + 20 * MINUTE,
      open: runOf('snapshot', 'metadata', NOW - 40 * MINUTE, { state: 'waiting' }),
    }),
    code: 'run.missed',
    about: 'metadata',
    verdict: 'broken',
  },
  {
    name: 'a run that takes far longer than usual',
    facts: withWork('snapshot', 'media', {
      open: runOf('snapshot', 'media', NOW - 3 * HOUR, { state: 'running' }),
    }),
    code: 'run.stuck',
    about: 'media',
    verdict: 'at risk',
  },
  {
    name: 'more work that would be lost than was promised',
    facts: withHolding('media', (_repository, holding) => aged(holding, 31 * HOUR)),
    code: 'rpo.exceeded',
    about: 'media',
    verdict: 'broken',
  },
  {
    name: 'a snapshot that is due again and not under way',
    facts: withHolding('media', (_repository, holding) => aged(holding, DAY + MINUTE)),
    code: 'rpo.at-risk',
    about: 'media',
    verdict: 'at risk',
  },
  {
    name: 'points of which none is good',
    facts: withHolding('media', (_repository, { newestGood: _, ...holding }) => holding),
    code: 'rpo.exceeded',
    about: 'media',
    verdict: 'broken',
  },
  {
    name: 'a journal that is behind everywhere',
    facts: withJournal({ spoolMoment: NOW - 10 * MINUTE, repositoryMoment: NOW - 10 * MINUTE }, 10 * MINUTE),
    code: 'rpo.exceeded',
    about: 'metadata',
    verdict: 'broken',
  },
  {
    name: 'a journal that comes close to its limit',
    facts: withJournal(
      { spoolMoment: NOW - 280 * SECOND, repositoryMoment: NOW - 280 * SECOND },
      280 * SECOND,
    ),
    code: 'rpo.at-risk',
    about: 'metadata',
    verdict: 'at risk',
  },
  {
    name: 'a journal that only the spool keeps up with',
    facts: withJournal({ repositoryMoment: NOW - HOUR }, HOUR),
    code: 'rpo.at-risk',
    about: 'metadata',
    verdict: 'at risk',
  },
  {
    name: 'a journal that has stopped',
    facts: withJournal({ state: 'stopped', since: NOW - 5 * SECOND, failure }),
    code: 'journal.stopped',
    about: 'metadata',
    verdict: 'broken',
  },
  {
    name: 'a journal that waits for its server too long',
    facts: withJournal({ state: 'waiting', since: NOW - 3 * MINUTE }),
    code: 'journal.stopped',
    about: 'metadata',
    verdict: 'broken',
  },
  {
    name: 'a journal that has gone silent, whatever it said last',
    facts: withJournal({ seenAt: NOW - 10 * MINUTE }),
    code: 'journal.stopped',
    about: 'metadata',
    verdict: 'broken',
  },
  {
    name: 'a gap that a new base has ended',
    facts: healthyFacts({
      windows: [
        { repository: 'main', source: 'metadata', from: NOW - 7 * DAY, to: NOW - 4 * HOUR },
        { repository: 'main', source: 'metadata', from: NOW - 3 * HOUR, to: NOW - MINUTE },
        { repository: 'offsite', source: 'metadata', from: NOW - 3 * HOUR, to: NOW - MINUTE },
      ],
    }),
    code: 'journal.gap',
    about: 'metadata',
    verdict: 'at risk',
  },
  {
    name: 'a gap behind which nothing can be restored yet, however fresh the journal is',
    facts: healthyFacts({ findings: [{ ...damage, code: 'journal.gap', source: 'metadata' }] }),
    code: 'journal.gap',
    about: 'metadata',
    verdict: 'broken',
  },
  {
    name: 'more at stake behind a gap than was promised',
    facts: withJournal({}, HOUR, [{ ...damage, code: 'journal.gap', source: 'metadata' }]),
    code: 'rpo.exceeded',
    about: 'metadata',
    verdict: 'broken',
  },
  {
    name: 'damage at the source',
    facts: healthyFacts({ findings: [{ ...damage, code: 'postgres.page-damaged', source: 'metadata' }] }),
    code: 'postgres.page-damaged',
    about: 'metadata',
    verdict: 'broken',
  },
  {
    name: 'a copy that lags behind',
    facts: withHolding('media', (repository, holding) =>
      repository === 'offsite' ? aged(holding, 33 * HOUR) : holding,
    ),
    code: 'copy.behind',
    about: 'main → offsite',
    verdict: 'at risk',
  },
  {
    name: 'fewer copies than were promised',
    facts: withHolding('metadata', (repository, holding) =>
      repository === 'offsite' ? aged(holding, 3 * HOUR) : holding,
    ),
    code: 'copies.too-few',
    about: 'metadata',
    verdict: 'broken',
  },
  {
    name: 'fewer copies than the policy makes, of which none was promised',
    facts: withHolding('media', (repository, holding) =>
      repository === 'offsite' ? aged(holding, 33 * HOUR) : holding,
    ),
    code: 'copies.too-few',
    about: 'media',
    verdict: 'at risk',
  },
  {
    name: 'a repository that is full in two days',
    facts: filling(2),
    code: 'repository.filling',
    about: 'offsite',
    verdict: 'broken',
  },
  {
    name: 'a repository that is full in ten days',
    facts: filling(10),
    code: 'repository.filling',
    about: 'offsite',
    verdict: 'at risk',
  },
  {
    name: 'a repository with hardly anything left, which does not grow',
    facts: healthyFacts({
      sizes: [
        ...healthyFacts().sizes.filter(({ repository }) => repository === 'main'),
        { repository: 'offsite', at: NOW, bytes: 280 * GB, free: GB },
      ],
    }),
    code: 'repository.filling',
    about: 'offsite',
    verdict: 'broken',
  },
  {
    name: 'damage',
    facts: healthyFacts({ findings: [damage] }),
    code: 'repository.damaged',
    about: 'main',
    verdict: 'broken',
  },
  {
    name: 'evidence that differs',
    facts: healthyFacts({ findings: [{ ...damage, code: 'evidence.different', source: 'metadata' }] }),
    code: 'evidence.different',
    about: 'metadata',
    verdict: 'broken',
  },
  {
    name: 'a retention that removed nothing although it was time',
    facts: healthyFacts({
      retentions: [
        { repository: 'main', at: NOW - HOUR, skipped: 'a snapshot could not be read' },
        { repository: 'offsite', at: NOW - HOUR },
      ],
    }),
    code: 'retention.skipped',
    about: 'main',
    verdict: 'at risk',
  },
  {
    name: 'a check that is long overdue',
    facts: healthyFacts({
      checks: [
        { repository: 'main', structureAt: NOW - 20 * DAY },
        { repository: 'offsite', structureAt: NOW - DAY },
      ],
    }),
    code: 'check.overdue',
    about: 'main',
    verdict: 'at risk',
  },
  {
    name: 'a channel that lets nothing through',
    facts: healthyFacts({
      channels: [
        { channel: 'ops', waiting: 3, failingSince: NOW - MINUTE, lastError: 'no answer', givenUp: 0 },
      ],
    }),
    code: 'delivery.failing',
    about: 'ops',
    verdict: 'at risk',
  },
  {
    name: 'a control plane that is gone',
    facts: healthyFacts({ beat: NOW - 10 * MINUTE }),
    code: 'holdfast.silent',
    about: 'holdfast',
    verdict: 'broken',
  },
];

describe('the judge', () => {
  test('calls good what was looked at and holds', () => {
    const status = judged(healthyFacts());
    expect(status.problems).toEqual([]);
    expect(parts(status).flatMap(({ unknown }) => unknown)).toEqual([]);
    expect(status.verdict).toBe('good');
  });

  test.each(troubles)('sees $name', ({ facts, policy, code, about, verdict }) => {
    const status = judged(facts, policy);
    const problem = status.problems.find((one) => one.code === code && one.about === about);
    expect(problem, JSON.stringify(status.problems, null, 2)).toBeDefined();
    expect(problem?.severity).toBe(verdict === 'broken' ? 'critical' : 'warning');
    expect(problem?.since).toBeLessThanOrEqual(NOW);
    expect(status.verdict).not.toBe('good');
  });

  test.each(troubles)('names $name the same a minute later', ({ facts, policy }) => {
    const keys = (now: number) => new Set(judged(facts, policy, now).problems.map(({ key }) => key));
    expect([...keys(NOW + SECOND)]).toEqual([...keys(NOW)]);
  });

  test('measures what would be lost for the spool, the repository and the farthest one', () => {
    const metadata = judged(healthyFacts()).sources[0];
    expect(metadata?.exposure).toEqual({
      spool: 2 * SECOND,
      repository: MINUTE,
      farthest: { milliseconds: 2 * MINUTE, repository: 'offsite' },
      best: 2 * SECOND,
    });
  });

  test('counts a far place as of the last copy that went well, and no fresher', () => {
    const carriedAgo = (age: number, state: 'succeeded' | 'failed') => {
      const facts = healthyFacts();
      const work = facts.work.map((one) =>
        one.kind === 'copy' && one.last !== undefined
          ? { ...one, last: { ...one.last, state, startedAt: NOW - age, endedAt: NOW - age + SECOND } }
          : one,
      );
      return judged({ ...facts, work }).sources[0]?.exposure.farthest;
    };
    // What the journal had there when the copy began was 59 s old.
    expect(carriedAgo(30 * SECOND, 'succeeded')).toEqual({
      milliseconds: 89 * SECOND,
      repository: 'offsite',
    });
    expect(carriedAgo(30 * SECOND, 'failed')).toEqual({ milliseconds: 2 * MINUTE, repository: 'offsite' });
    expect(carriedAgo(10 * MINUTE, 'succeeded')).toEqual({ milliseconds: 2 * MINUTE, repository: 'offsite' });
  });

  test('does not count a spool on the source’s own host, nor one of which nobody knows', () => {
    const [metadata, ...rest] = shopPolicy().sources;
    if (metadata === undefined) throw new Error('the stack has a database');
    for (const journal of [{ slot: 'holdfast', spoolOnSourceHost: true }, { slot: 'holdfast' }]) {
      const policy = shopPolicy({ sources: [{ ...metadata, journal }, ...rest] });
      expect(judged(healthyFacts(), policy).sources[0]?.exposure).toMatchObject({ best: MINUTE });
      expect(judged(healthyFacts(), policy).sources[0]?.exposure.spool).toBeUndefined();
    }
    const policy = shopPolicy({ sources: [{ ...metadata, journal: { slot: 'holdfast' } }, ...rest] });
    const facts = healthyFacts({ spools: [{ source: 'metadata', onSourceHost: false }] });
    expect(judged(facts, policy).sources[0]?.exposure.spool).toBe(2 * SECOND);
  });

  test('gives a new point time to be copied, and no more', () => {
    const fresh = (age: number) =>
      withHolding('metadata', (repository, holding) =>
        repository === 'main' ? holdingAt(repository, 'metadata', NOW - age) : aged(holding, HOUR + age),
      );
    expect(judged(fresh(10 * MINUTE)).sources[0]?.copies.have).toBe(2);
    expect(judged(fresh(40 * MINUTE)).sources[0]?.copies.have).toBe(1);
  });

  test('takes no base for a gap whose journal has not arrived yet', () => {
    const facts = healthyFacts();
    const alone = { repository: 'main', source: 'metadata', from: NOW - SECOND, to: NOW - SECOND };
    const windows = (facts.windows ?? []).map((window) => ({ ...window, to: NOW - MINUTE }));
    expect(judged({ ...facts, windows: [...windows, alone] }).problems).toEqual([]);
  });

  test('gives what a journal adds time to be carried over, and no more', () => {
    const behind = (age: number) => {
      const facts = healthyFacts();
      const windows = (facts.windows ?? []).map((window) =>
        window.repository === 'offsite' ? { ...window, to: NOW - age } : { ...window, to: NOW },
      );
      return judged({ ...facts, windows }).sources.find(({ name }) => name === 'metadata');
    };
    expect(behind(6 * MINUTE)?.verdict).toBe('good');
    expect(behind(7 * MINUTE)?.problems[0]?.code).toBe('rpo.at-risk');
  });

  test('counts places, not only repositories', () => {
    const policy = shopPolicy();
    const together = policy.repositories.map((repository) => ({ ...repository, place: 'cellar' }));
    const status = judged(healthyFacts(), { ...policy, repositories: together });
    expect(status.problems).toMatchObject([
      { code: 'copies.too-few', about: 'metadata', severity: 'critical' },
    ]);
  });

  test('does not call a repository overdue whose first check is still to come', () => {
    const facts = withWork('check', 'main', { knownSince: NOW - DAY }, true);
    const status = judged({
      ...facts,
      checks: facts.checks.filter(({ repository }) => repository !== 'main'),
    });
    expect(status.repositories[0]?.verdict).toBe('good');
  });

  test('is not alarmed by a snapshot that takes its time as it always does', () => {
    const late = withHolding('media', (_repository, holding) => aged(holding, DAY + MINUTE));
    const work = withWork('snapshot', 'media', {
      open: runOf('snapshot', 'media', NOW - MINUTE, { state: 'running' }),
    }).work;
    expect(judged({ ...late, work }).sources[1]?.verdict).toBe('good');
  });

  test('calls unknown what was looked at too long ago', () => {
    const facts = withHolding('media', (_repository, holding) => ({ ...holding, seenAt: NOW - 3 * DAY }));
    expect(judged(facts).sources[1]?.verdict).toBe('unknown');
  });

  test('foresees the day on which a repository is full', () => {
    const status = judged(filling(10)).repositories[1];
    expect(status?.growthPerDay).toBeCloseTo(GB, -3);
    expect(status?.daysUntilFull).toBeCloseTo(10);
  });

  test('finds nothing good without any facts', () => {
    const nothing = {
      holdings: [],
      journals: [],
      work: [],
      sizes: [],
      checks: [],
      retentions: [],
      spools: [],
    };
    const status = judged(nothing);
    for (const part of parts(status)) expect(part.verdict).toBe('unknown');
  });
});

describe('taking facts away', () => {
  const situations = [healthyFacts(), ...troubles.map(({ facts }) => facts)];

  test('never makes a verdict better', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...situations),
        fc.array(fc.nat(200), { minLength: 1, maxLength: 4 }),
        (facts, removals) => {
          const before = judged(facts);
          const after = judged(removals.reduce(without, facts));
          expectNotBetter(before.verdict, after.verdict);
          for (const [index, part] of parts(after).entries()) {
            expectNotBetter(parts(before)[index]?.verdict ?? 'good', part.verdict);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});

function expectNotBetter(before: Verdict, after: Verdict): void {
  if (after === 'unknown') return;
  const order: readonly Verdict[] = ['good', 'at risk', 'unknown', 'broken'];
  expect(order.indexOf(after)).toBeGreaterThanOrEqual(order.indexOf(before));
}

/** One of the facts less: one thing that nobody looked at. */
function without(facts: Facts, which: number): Facts {
  const repositories = ['main', 'offsite'];
  const ways: ((facts: Facts) => Facts)[] = [
    ({ beat: _, ...rest }) => rest,
    ({ windows: _, ...rest }) => rest,
    ({ findings: _, ...rest }) => rest,
    ({ channels: _, ...rest }) => rest,
    (all) => ({ ...all, journals: [] }),
    ...facts.holdings.map((_, at) => (all: Facts) => ({ ...all, holdings: all.holdings.toSpliced(at, 1) })),
    ...facts.work.map((_, at) => (all: Facts) => ({ ...all, work: all.work.toSpliced(at, 1) })),
    ...facts.checks.map((_, at) => (all: Facts) => ({ ...all, checks: all.checks.toSpliced(at, 1) })),
    ...facts.retentions.map((_, at) => (all: Facts) => ({
      ...all,
      retentions: all.retentions.toSpliced(at, 1),
    })),
    ...repositories.map((name) => (all: Facts) => ({
      ...all,
      sizes: all.sizes.filter(({ repository }) => repository !== name),
    })),
  ];
  return ways[which % ways.length]?.(facts) ?? facts;
}

function judged(facts: Facts, policy = shopPolicy(), now = NOW): Status {
  return judge({ policy, facts, now });
}

function parts(status: Status) {
  return [...status.sources, ...status.copies, ...status.repositories, status.holdfast];
}

function withWork(kind: WorkFacts['kind'], about: string, changes: Partial<WorkFacts>, first = false): Facts {
  const facts = healthyFacts();
  return {
    ...facts,
    work: facts.work.map((work) => {
      if (work.kind !== kind || work.about !== about) return work;
      const { last: _, ...unstarted } = work;
      return { ...(first ? unstarted : work), ...changes };
    }),
  };
}

function withHolding(source: string, change: (repository: string, holding: Holding) => Holding): Facts {
  const facts = healthyFacts();
  const holdings = facts.holdings.map((holding) =>
    holding.source === source ? change(holding.repository, holding) : holding,
  );
  return { ...facts, holdings };
}

/** As the journal says of itself; `shipped`: so old is what has reached the repositories. */
function withJournal(
  changes: Partial<Facts['journals'][number]>,
  shipped?: number,
  findings: readonly OpenFinding[] = [],
): Facts {
  const facts = healthyFacts({ findings });
  return {
    ...facts,
    journals: facts.journals.map((journal) => ({ ...journal, ...changes })),
    ...(shipped === undefined
      ? {}
      : {
          windows: (facts.windows ?? []).map((window) => ({ ...window, to: NOW - shipped })),
          holdings: facts.holdings.map((holding) =>
            holding.source === 'metadata'
              ? {
                  ...holding,
                  ...newest(holding.repository, 'metadata', NOW - Math.max(shipped, 52 * MINUTE)),
                }
              : holding,
          ),
        }),
  };
}

function aged(holding: Holding, age: number): Holding {
  return { ...holding, ...newest(holding.repository, holding.source, NOW - age) };
}

function holdingAt(repository: string, source: string, time: number): Holding {
  return { repository, source, seenAt: NOW, points: 7, ...newest(repository, source, time) };
}

function newest(repository: string, source: string, time: number): Pick<Holding, 'newest' | 'newestGood'> {
  const point = pointOf(repository, source, time);
  return { newest: point, newestGood: point };
}

/** The offsite repository grows by a gigabyte a day and has room for so many. */
function filling(days: number): Facts {
  const facts = healthyFacts();
  return {
    ...facts,
    sizes: facts.sizes.map((size) => (size.repository === 'offsite' ? { ...size, free: days * GB } : size)),
  };
}
