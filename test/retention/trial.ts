import type { Point } from '../../app/src/catalog/records.ts';
import type { Schedule } from '../../app/src/policy/model.ts';
import type { decideRetention } from '../../app/src/retention/decide-retention.ts';
import type { expiries, previewRetention } from '../../app/src/retention/preview-retention.ts';
import type { RetentionInput } from '../../app/src/retention/retention-input.ts';
import { HOUR, oracleFor, scenario } from './scenario.ts';

/** What is tried: the real functions, or those of a mutant. */
export interface Subject {
  readonly decideRetention: typeof decideRetention;
  readonly previewRetention: typeof previewRetention;
  readonly expiries: typeof expiries;
}

/** The question, and what brute force answers. */
interface Decision {
  readonly input: RetentionInput;
  readonly kept: readonly string[];
}

interface Future {
  readonly input: RetentionInput;
  readonly schedule?: Schedule;
  readonly kept: readonly string[];
  /** Hours from now by id. */
  readonly gone: ReadonlyMap<string, number>;
}

export interface Trial {
  readonly decisions: readonly Decision[];
  readonly futures: readonly Future[];
}

const AHEAD = 60 * HOUR;
const EVERY_SIX_HOURS: Schedule = { when: { kind: 'every', interval: 6 * HOUR }, jitter: 0, missed: 'once' };

/**
 * Situations that seldom come up: a kept base that ends with the window's beginning and is not its base; a window whose end
 * passes out of what is kept when nothing else happens.
 */
const RARE = { decisions: [13_218, 30_619, 37_488], futures: [207, 399] } as const;

/** Brute force answers once; then any number of subjects can be tried quickly. */
export function prepareTrial({ decisions, futures }: { decisions: number; futures: number }): Trial {
  const seeds = (count: number, more: readonly number[]) => [...Array(count).keys(), ...more];
  return {
    decisions: seeds(decisions, RARE.decisions).map((seed) => {
      const input = scenario(seed);
      return { input, kept: oracleFor(input) };
    }),
    futures: seeds(futures, RARE.futures).map((seed) =>
      liveThrough(scenario(seed), seed % 3 === 0 ? undefined : EVERY_SIX_HOURS),
    ),
  };
}

/** Hour by hour: what has come, what has gone. */
function liveThrough(input: RetentionInput, schedule: Schedule | undefined): Future {
  const gone = new Map<string, number>();
  const model = input.points
    .filter(({ kind }) => kind === 'base' || kind === 'snapshot')
    .reduce<Point | undefined>(
      (best, one) => (best === undefined || one.time > best.time ? one : best),
      undefined,
    );
  let there: readonly Point[] = input.points;
  let kept: readonly string[] = [];
  for (let now = input.now; now <= input.now + AHEAD; now += HOUR) {
    if (now > input.now && schedule !== undefined && model !== undefined && now % (6 * HOUR) === 0) {
      const { covers: _, ...rest } = model;
      there = [...there, { ...rest, time: now, snapshot: `expected ${now}`, complete: true }];
    }
    kept = oracleFor({ ...input, points: there, now });
    for (const { snapshot } of there)
      if (!kept.includes(snapshot)) gone.set(snapshot, (now - input.now) / HOUR);
    there = there.filter(({ snapshot }) => kept.includes(snapshot));
  }
  return { input, kept, gone, ...(schedule === undefined ? {} : { schedule }) };
}

/** What a subject does differently, if anything; a subject that throws does. */
export function difference(trial: Trial, subject: Subject): string | undefined {
  try {
    return differentDecision(trial, subject) ?? differentFuture(trial, subject);
  } catch (error) {
    return String(error);
  }
}

function differentDecision({ decisions }: Trial, { decideRetention }: Subject): string | undefined {
  for (const [seed, { input, kept }] of decisions.entries()) {
    const decision = decideRetention(input);
    const ids = idsOf(decision.kept);
    if (ids !== kept.join()) return `situation ${seed}: keeps ${ids}; brute force ${kept.join()}`;
    for (const { point, because } of decision.removed) {
      const right = WORDS[point.kind] ?? 'no rule keeps it';
      if (because !== right) return `situation ${seed}: ${point.kind} because ${because}`;
    }
    const order = [...decision.kept, ...decision.removed].every(({ point }) => input.points.includes(point));
    if (!order) return `situation ${seed}: a point that was not there`;
  }
  return undefined;
}

const WORDS: Partial<Record<Point['kind'], string>> = {
  slice: 'before the kept window',
  evidence: 'evidence of a point that goes',
};

function differentFuture({ futures }: Trial, subject: Subject): string | undefined {
  const { previewRetention, expiries } = subject;
  for (const [seed, { input, schedule, kept, gone }] of futures.entries()) {
    const options = { until: input.now + AHEAD, ...(schedule === undefined ? {} : { schedule }) };
    const preview = previewRetention(input, options);
    if (preview.at !== options.until) return `future ${seed}: looked until ${preview.at}`;
    const ids = idsOf(preview.kept);
    if (ids !== kept.join()) return `future ${seed}: keeps ${ids}; brute force ${kept.join()}`;
    for (const { point, expected } of [...preview.kept, ...preview.removed]) {
      if (expected !== point.snapshot.startsWith('expected')) return `future ${seed}: ${point.snapshot}`;
    }
    const isSkipped = subject.decideRetention(input).skipped !== undefined;
    if ((preview.skipped !== undefined) !== isSkipped) return `future ${seed}: skipped only in one`;
    const expiry = expiries(input, options);
    for (const { snapshot } of input.points) {
      const { withSchedule, asItStands } = expiry.get(snapshot) ?? {};
      const at = withSchedule === undefined ? undefined : Math.ceil((withSchedule - input.now) / HOUR);
      if (at !== gone.get(snapshot))
        return `future ${seed}: ${snapshot} goes in ${at} h, not ${gone.get(snapshot)} h`;
      // Something goes on the hour, or right after it was good for the last time.
      if (((withSchedule ?? 0) - input.now) % HOUR > 1) return `future ${seed}: ${snapshot} goes late`;
      if (schedule === undefined && asItStands !== withSchedule)
        return `future ${seed}: ${snapshot} goes twice`;
    }
  }
  return undefined;
}

function idsOf(entries: readonly { readonly point: Point }[]): string {
  return entries
    .map(({ point }) => point.snapshot)
    .sort()
    .join();
}
