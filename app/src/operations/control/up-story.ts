import type { Failure, Finding } from '@holdfast/engine';
import type { Work } from '../../cli/command-frame.ts';
import { formatCounted, formatDuration } from '../../cli/format.ts';
import { clockTime } from '../../cli/render/moment-words.ts';
import { signs } from '../../cli/style.ts';
import { printable } from '../../cli/width.ts';
import type { ControlAudience } from '../../control/control-plane.ts';
import type { LoadedPolicy } from '../../control/current-policy.ts';
import type { StepEnd } from '../../control/step-runner.ts';
import type { TickReport } from '../../control/tick.ts';
import type { Policy } from '../../policy/model.ts';
import type { StepOutcome } from '../../queue/new-run.ts';
import type { TakenStep } from '../../queue/run-queue.ts';

export interface UpStoryOptions {
  readonly progress: Pick<Work['progress'], 'note'>;
  readonly now: () => number;
  readonly loaded: () => LoadedPolicy;
  /** Also what is no news. */
  readonly verbose: boolean;
}

/**
 * What a person reads of a control plane: a line for what came of a step, in the policy's time; nothing about what is as
 * it was. A program hears of everything.
 */
export class UpStory implements ControlAudience {
  readonly #options: UpStoryOptions;
  #readyAt = 0;

  constructor(options: UpStoryOptions) {
    this.#options = options;
  }

  ready(milliseconds: number): void {
    const { policy, doubts } = this.#options.loaded();
    this.#readyAt = this.#options.now();
    this.#options.progress.note(`${titleOf(policy)}, ready in ${formatDuration(milliseconds)}`, [
      { type: 'event', event: 'ready', time: this.#readyAt, stack: policy.stack, milliseconds },
    ]);
    this.#doubt(doubts);
  }

  leading(leads: boolean): void {
    // Who has just started and leads at once is as everybody expects.
    const expected = leads && this.#options.now() - this.#readyAt < AT_ONCE_MS;
    const line = leads ? 'leads from now on' : `${signs.warning} another control plane leads`;
    this.#tell(expected ? '' : line, { event: 'leading', leads });
  }

  tick({ queued, passedOver }: TickReport): void {
    for (const run of queued) {
      const { kind, about, cause } = run;
      this.#tell(this.#queuedLine(run), { event: 'queued', kind, about, cause });
    }
    for (const { name, why } of passedOver) {
      this.#tell(`${signs.warning} ${printable(name)}: ${why}`, { event: 'passed-over', name, why });
    }
  }

  began(step: TakenStep): void {
    this.#tell(this.#options.verbose ? `· ${named(step)} …` : '', { event: 'began', ...recordOf(step) });
  }

  note(step: TakenStep, line: string): void {
    this.#tell(`· ${named(step)}: ${printable(line)}`, { event: 'note', ...recordOf(step), line });
  }

  ended(step: TakenStep, end: StepEnd): void {
    const silent = !this.#options.verbose && isNoNews(step, end);
    this.#tell(silent ? '' : endLine(step, end), {
      event: 'ended',
      ...recordOf(step),
      ...outcomeRecord(end),
    });
  }

  policy(outcome: 'changed' | Failure): void {
    if (outcome === 'changed') {
      const { policy, doubts } = this.#options.loaded();
      this.#tell(`the policy has changed and is gone by now: ${titleOf(policy)}`, {
        event: 'policy',
        outcome: 'taken over',
      });
      this.#doubt(doubts);
      return;
    }
    const line = `${signs.warning} the policy has changed and is refused, the old one stays: ${outcome.message}`;
    this.#tell(withHint(line, outcome.hint), { outcome: 'refused', ...failed('policy', outcome) });
  }

  trouble(failure: Failure): void {
    this.#tell(withHint(`${signs.warning} ${failure.message}`, failure.hint), failed('trouble', failure));
  }

  /** What `policy check` would warn of: said when a policy begins to be gone by, since nothing shows it later. */
  #doubt(doubts: readonly Finding[]): void {
    const { progress } = this.#options;
    for (const [index, doubt] of doubts.entries()) {
      const more = index < doubts.length - 1 ? '' : '\n  What to do about it: holdfast policy check';
      const line = `${signs.warning} ${printable(doubt.message)}${more}`;
      progress.note(line, [{ type: 'finding', ...doubt }]);
    }
  }

  #queuedLine({ kind, about, cause, notBefore }: TickReport['queued'][number]): string {
    const what = `· ${kind} ${printable(about)}`;
    switch (cause) {
      case 'missed':
        return `${what} was missed: made up for now`;
      case 'retry':
        return `${what} is tried again at ${this.#time(notBefore ?? this.#options.now())}`;
      default:
        return this.#options.verbose ? `${what} waits for its turn (${cause})` : '';
    }
  }

  #tell(line: string, record: Record<string, unknown>): void {
    const now = this.#options.now();
    this.#options.progress.note(line === '' ? '' : `${this.#time(now)} ${line}`, [
      { type: 'event', time: now, ...record },
    ]);
  }

  #time(epochMilliseconds: number): string {
    return clockTime(epochMilliseconds, this.#options.loaded().policy.timezone);
  }
}

function titleOf({ stack, sources, repositories, timezone }: Policy): string {
  const counts = [
    formatCounted(sources.length, 'source'),
    formatCounted(repositories.length, 'repository', 'repositories'),
  ];
  return `${printable(stack)} · ${counts.join(', ')} · times in ${timezone}`;
}

function named({ run, name }: TakenStep): string {
  const what = `${run.kind} ${printable(run.about)}`;
  return name === run.kind ? what : `${what}: ${name}`;
}

function endLine(step: TakenStep, end: StepEnd): string {
  if (end === 'given back') return `· ${named(step)}: stopped; it goes on with the next start`;
  if (end === 'lost') return `· ${named(step)}: taken over by another control plane`;
  if (end.state === 'failed') {
    const { message = 'failed', hint } = end.failure ?? {};
    return withHint(`${signs.bad} ${named(step)}: ${printable(message)}`, hint);
  }
  const sign = end.incomplete === true ? signs.warning : signs.good;
  return `${sign} ${named(step)}: ${printable(end.result?.summary ?? end.state)}`;
}

/** All is as it was: looked at, and nothing found, removed or carried. */
function isNoNews({ name }: TakenStep, end: StepEnd): boolean {
  if (typeof end === 'string' || end.state !== 'done' || end.incomplete === true) return false;
  return NO_NEWS[name]?.(end) ?? false;
}

const always = () => true;
const NO_NEWS: Readonly<Record<string, (end: StepOutcome) => boolean>> = {
  survey: always,
  record: always,
  check: always,
  verify: always,
  forget: always,
  prune: ({ result }) => (result?.bytes ?? 0) === 0,
  copy: ({ result }) => (result?.snapshots ?? []).length === 0,
};

function withHint(line: string, hint: string | undefined): string {
  return hint === undefined ? line : `${line}\n${INDENT}${printable(hint)}`;
}

function recordOf({ run, name, attempt }: TakenStep) {
  return { run: run.id, kind: run.kind, about: run.about, step: name, attempt };
}

function outcomeRecord(end: StepEnd): Record<string, unknown> {
  if (typeof end === 'string') return { outcome: end };
  const { state: outcome, incomplete = false, result, failure } = end;
  return { outcome, incomplete, ...result, failure };
}

function failed(event: string, { code, message, subject, hint }: Failure): Record<string, unknown> {
  return { event, code, message, subject, hint };
}

/** Below the text of a line with a time and a sign. */
const INDENT = ' '.repeat('00:00:00 ✖ '.length);
const AT_ONCE_MS = 5000;
