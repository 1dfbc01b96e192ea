import type { Problem } from '../alert/incident.ts';
import type { Run, RunKind } from '../catalog/records.ts';
import { formatAge, formatDuration, formatTime } from '../cli/format.ts';
import type { Severity } from '../policy/model.ts';
import type { Facts, WorkFacts } from './facts.ts';
import { HOUR, MINUTE, runGrace, UNKNOWN_INTERVAL } from './patience.ts';
import type { Evidence } from './verdict.ts';

export interface Moment {
  readonly now: number;
  readonly timezone: string;
}

/** What a run is called when it is spoken of. */
const NOUNS = {
  snapshot: 'snapshot',
  copy: 'copy',
  retention: 'retention',
  check: 'check',
  verify: 'verification',
  survey: 'survey',
} as const satisfies Record<RunKind, string>;

/** Without the first two, work is lost sooner or later; without the others nothing is lost by it. */
function severityOf(kind: RunKind): Severity {
  return kind === 'snapshot' || kind === 'copy' ? 'critical' : 'warning';
}

/** Longer than usual by so much and a run is taken for stuck; a short one may take its ten minutes. */
const STUCK_FACTOR = 4;
const LEAST_STUCK = 10 * MINUTE;
/** For a run that has no past to compare it with. */
const STUCK_WITHOUT_PAST = 24 * HOUR;

export function workOf(facts: Facts, kind: RunKind, about: string): WorkFacts | undefined {
  return facts.work.find((work) => work.kind === kind && work.about === about);
}

/** Milliseconds between two occurrences around now. */
export function intervalOf(work: WorkFacts | undefined): number | undefined {
  if (work?.previousDue === undefined || work.nextDue === undefined) return undefined;
  return work.nextDue - work.previousDue;
}

/** The next time that something is tried by itself: a run that waits for its time, else the schedule. */
export function nextRunOf(work: WorkFacts | undefined): number | undefined {
  if (work?.open?.state !== 'waiting') return work?.nextDue;
  return work.open.notBefore ?? work.open.dueAt;
}

export function runningSince(work: WorkFacts | undefined): number | undefined {
  return work?.open?.state === 'running' ? (work.open.startedAt ?? work.open.queuedAt) : undefined;
}

/** Looks at one kind of work: whether it failed, did not happen, or hangs. `what` says whose: `source media`. */
export function judgeWork(
  evidence: Evidence,
  work: WorkFacts | undefined,
  what: { readonly kind: RunKind; readonly about: string; readonly subject: string },
  moment: Moment,
): void {
  const noun = NOUNS[what.kind];
  if (work === undefined) {
    evidence.miss(`Nothing is known of the ${noun} runs of ${what.subject}.`);
    return;
  }
  if (work.last !== undefined) {
    evidence.look(`last ${noun}`, work.last.endedAt ?? work.last.queuedAt);
    evidence.add(...failed(work, work.last, noun, what.subject, moment));
  }
  evidence.add(...stuck(work, noun, what.subject, moment), ...missed(work, noun, what.subject, moment));
}

function failed(work: WorkFacts, last: Run, noun: string, subject: string, moment: Moment): Problem[] {
  if (last.state !== 'failed' && last.state !== 'incomplete') return [];
  const next = nextRunOf(work);
  const retried = work.open !== undefined;
  const reason = last.failure?.message ?? last.result?.summary;
  const hint = [
    ...(last.failure?.hint === undefined ? [] : [withStop(last.failure.hint)]),
    work.open?.state === 'running'
      ? 'It is being tried again now.'
      : next === undefined
        ? 'It is not tried again by itself.'
        : `Next try ${formatTime(next, moment.timezone)}.`,
    `Look at: holdfast runs ${last.id}`,
  ];
  return [
    {
      key: `${subject}: ${noun} failed`,
      // While it is tried again by itself, nobody has to get up.
      severity: retried || last.state === 'incomplete' ? 'warning' : severityOf(work.kind),
      about: work.about,
      code: 'run.failed',
      message: `The last ${noun} of ${subject} ${last.state === 'failed' ? 'failed' : 'is incomplete'}${reason === undefined ? '.' : `: ${withStop(reason)}`}`,
      hint: hint.join(' '),
      since: last.endedAt ?? last.queuedAt,
    },
  ];
}

function missed(work: WorkFacts, noun: string, subject: string, { now, timezone }: Moment): Problem[] {
  const { previousDue, last, open, knownSince } = work;
  if (previousDue === undefined || previousDue < knownSince || open?.state === 'running') return [];
  const handled = last !== undefined && Math.max(last.dueAt, last.startedAt ?? last.queuedAt) >= previousDue;
  // A retry of what was done in time has not begun either, and is no miss.
  const due = open === undefined ? previousDue : Math.min(open.dueAt, previousDue);
  if (handled || now - due <= runGrace(intervalOf(work) ?? UNKNOWN_INTERVAL)) return [];
  const waits = open === undefined ? '' : ' and waits for its turn';
  return [
    {
      key: `${subject}: ${noun} missed`,
      severity: severityOf(work.kind),
      about: work.about,
      code: 'run.missed',
      message: `The ${noun} of ${subject} that was due ${formatTime(due, timezone)}, ${formatAge(due, now)}, has not started${waits}.`,
      hint: 'Is holdfast up running, and is there room among its runs? Look at: holdfast runs',
      since: due,
    },
  ];
}

function stuck(work: WorkFacts, noun: string, subject: string, { now }: Moment): Problem[] {
  const since = runningSince(work);
  if (since === undefined || work.open === undefined) return [];
  const limit =
    work.usual === undefined ? STUCK_WITHOUT_PAST : Math.max(LEAST_STUCK, STUCK_FACTOR * work.usual);
  if (now - since <= limit) return [];
  const usual = work.usual === undefined ? '' : `, usually ${formatDuration(work.usual)}`;
  return [
    {
      key: `${subject}: ${noun} stuck`,
      severity: 'warning',
      about: work.about,
      code: 'run.stuck',
      message: `The ${noun} of ${subject} has been running for ${formatDuration(now - since)}${usual}.`,
      hint: `It goes on; look at what it waits for: holdfast runs ${work.open.id}`,
      since: since + limit,
    },
  ];
}

export function withStop(sentence: string): string {
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
