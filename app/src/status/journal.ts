import type { JournalState, OpenFinding, RecoveryWindow } from '../catalog/records.ts';
import { formatAge, formatTime } from '../cli/format.ts';
import type { SourcePolicy } from '../policy/model.ts';
import type { Facts } from './facts.ts';
import { GAP } from './findings.ts';
import { DAY, MINUTE, SILENCE } from './patience.ts';
import type { Evidence } from './verdict.ts';
import { type Moment, withStop } from './work.ts';

/** A journal that begins or waits for its server is given so long, or half of its RPO where that is less. */
const MOST_WAIT = 5 * MINUTE;
/** A gap stays in sight so long after a new base has ended it. */
const GAP_IN_SIGHT = DAY;

export function journalOf(facts: Facts, source: string): JournalState | undefined {
  return facts.journals.find((journal) => journal.source === source);
}

/** Oldest first. */
export function windowsOf(facts: Facts, source: string, repository: string): readonly RecoveryWindow[] {
  return (facts.windows ?? [])
    .filter((window) => window.source === source && window.repository === repository)
    .toSorted((a, b) => a.to - b.to);
}

export function judgeJournal(evidence: Evidence, source: SourcePolicy, facts: Facts, moment: Moment): void {
  if (source.journal === undefined) return;
  const journal = journalOf(facts, source.name);
  if (journal === undefined) evidence.miss(`The journal of ${source.name} has not been seen.`);
  else judgeState(evidence, source, journal, moment);
  if (facts.windows === undefined) evidence.miss('Recovery windows were not read.');
  else judgeGaps(evidence, source, facts, moment);
}

function judgeState(
  evidence: Evidence,
  source: SourcePolicy,
  journal: JournalState,
  { now, timezone }: Moment,
): void {
  evidence.look('journal', journal.seenAt);
  const key = `source ${source.name}: journal stopped`;
  if (now - journal.seenAt > MOST_WAIT) {
    evidence.add({
      key,
      severity: 'critical',
      about: source.name,
      code: 'journal.stopped',
      message: `The journal of ${source.name} showed its last sign of life ${formatAge(journal.seenAt, now)}.`,
      hint: 'Is holdfast up running? It starts a journal again that has ended.',
      since: journal.seenAt,
    });
    return;
  }
  if (now - journal.seenAt > SILENCE) {
    evidence.miss(
      `The journal of ${source.name} showed its last sign of life ${formatAge(journal.seenAt, now)}.`,
    );
  }
  if (journal.state === 'streaming') return;
  const patience = Math.min(MOST_WAIT, (source.objective.rpo ?? 2 * MOST_WAIT) / 2);
  if (journal.state !== 'stopped' && now - journal.since <= patience) return;
  const reason = journal.failure === undefined ? '.' : `: ${withStop(journal.failure.message)}`;
  const verb = journal.state === 'stopped' ? 'has been stopped' : 'has not been streaming';
  evidence.add({
    key,
    severity: 'critical',
    about: source.name,
    code: 'journal.stopped',
    message: `The journal of ${source.name} ${verb} since ${formatTime(journal.since, timezone)}${reason}`,
    hint: journal.failure?.hint ?? 'It is started again by itself, waiting longer each time.',
    since: journal.since,
  });
}

/** The gap that no new base has ended yet: nothing behind it can be restored. */
export function openGapOf(facts: Facts, source: string, repository: string): OpenFinding | undefined {
  const newest = windowsOf(facts, source, repository).at(-1);
  return facts.findings?.find(
    (finding) =>
      finding.code === GAP &&
      finding.source === source &&
      (newest === undefined || newest.from <= finding.foundAt),
  );
}

function judgeGaps(evidence: Evidence, source: SourcePolicy, facts: Facts, moment: Moment): void {
  const { now, timezone } = moment;
  const windows = windowsOf(facts, source.name, source.repository);
  // A base alone is a moment: no journal ever followed it, or what follows has not arrived yet. Neither is a gap.
  const [before, after] = windows.filter(({ from, to }) => to > from).slice(-2);
  const problem = (since: number) => ({
    key: `source ${source.name}: journal gap`,
    about: source.name,
    code: GAP,
    since,
  });
  const open = openGapOf(facts, source.name, source.repository);
  if (open !== undefined) {
    evidence.add({
      ...problem(open.foundAt),
      severity: 'critical',
      message: `The journal of ${source.name} has a gap since ${formatTime(open.foundAt, timezone)}: no later moment can be restored.`,
      hint: 'A new base is taken by itself and ends it. Look at: holdfast runs',
    });
  }
  if (windows.length === 0) evidence.miss(`No moment of ${source.name} is known to be restorable.`);
  if (before === undefined || after === undefined || open !== undefined) return;
  if (after.from <= before.to || now - after.from > GAP_IN_SIGHT) return;
  evidence.add({
    ...problem(before.to),
    severity: 'warning',
    message: `No moment of ${source.name} between ${formatTime(before.to, timezone)} and ${formatTime(after.from, timezone)} can be restored: the journal has a gap there.`,
    hint: 'A new base has ended it: every moment since can be restored again.',
  });
}
