import type { Clock, Finding, Random } from '@holdfast/engine';
import { isFailure } from '@holdfast/engine';
import type { JournalState } from '../catalog/records.ts';
import type { ProgressSample } from '../cli/progress.ts';
import type { Worker, WorkerAudience } from './worker-process.ts';

export interface JournalKeeperOptions {
  readonly source: string;
  readonly start: (audience: WorkerAudience) => Worker;
  readonly clock: Clock;
  readonly random: Random;
  /** By the beat, and whenever something changes. */
  readonly onState: (state: JournalState) => void;
  readonly onFinding: (finding: Finding) => void;
  /** Findings of these codes are over. */
  readonly onMended: (codes: readonly string[]) => void;
  /** What the journal wrote to the repository is more than slices: look there again. */
  readonly onChange: () => void;
  readonly signal: AbortSignal;
}

/** Keeps one source's journal running: started, started again after each end, watched. Resolves when the signal aborts. */
export async function keepJournalRunning(options: JournalKeeperOptions): Promise<void> {
  const { clock, random, signal } = options;
  const watch = new JournalWatch(options);
  watch.starting();
  for (let failures = 0; !signal.aborted; failures += 1) {
    const startedAt = clock.now();
    const worker = options.start(watch);
    const stop = () => worker.stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      await worker.outcome;
    } catch (error) {
      if (signal.aborted) break;
      watch.failed(error);
    } finally {
      signal.removeEventListener('abort', stop);
    }
    if (signal.aborted) break;
    if (clock.now() - startedAt > LONG_ENOUGH_MS) failures = 0;
    await clock.sleep(pauseAfter(failures, random), signal).catch(() => undefined);
  }
  watch.stopped();
}

/** Milliseconds: doubled each time, up to a minute; not all journals at the same moment. */
function pauseAfter(failures: number, random: Random): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 10)) * (0.5 + random() / 2);
}

/** What a journal's worker says, as the state that is kept of it. */
class JournalWatch implements WorkerAudience {
  readonly #options: JournalKeeperOptions;
  #state: JournalState;
  #toldAt = 0;

  constructor(options: JournalKeeperOptions) {
    this.#options = options;
    const now = options.clock.now();
    this.#state = { source: options.source, state: 'starting', seenAt: now, since: now, restarts: 0 };
  }

  /** What an earlier control plane said of it is no longer so. A worker that has failed and begins again changes nothing. */
  starting(): void {
    this.#options.onState(this.#state);
  }

  progress({ phase, figures = {} }: ProgressSample): void {
    const now = this.#options.clock.now();
    const spoolLag = numberOf(figures['spoolLagMilliseconds']);
    const repositoryLag = numberOf(figures['repositoryLagMilliseconds']);
    const state = phase === 'Receiving' ? 'streaming' : 'waiting';
    const { failure, ...before } = this.#state;
    this.#tell({
      ...before,
      state,
      seenAt: now,
      ...(state === this.#state.state ? {} : { since: now }),
      // What is not in the spool cannot be in the repository.
      ...(spoolLag === undefined ? {} : { spoolMoment: now - spoolLag }),
      ...(spoolLag === undefined || repositoryLag === undefined
        ? {}
        : { repositoryMoment: now - Math.max(spoolLag, repositoryLag) }),
      ...(state === 'streaming' || failure === undefined ? {} : { failure }),
    });
  }

  note(_line: string, records: readonly Readonly<Record<string, unknown>>[]): void {
    for (const record of records) {
      if (record['type'] === 'finding') this.#options.onFinding(findingOf(record));
      const { code, message } = record;
      if (record['event'] === 'interrupted' && typeof code === 'string' && typeof message === 'string') {
        this.#tell({ ...this.#state, failure: { code, message } });
      }
      const event = String(record['event']);
      const mended = MENDED_BY[event];
      if (mended !== undefined) this.#options.onMended(mended);
      if (CHANGES.includes(event)) this.#options.onChange();
    }
  }

  failed(error: unknown): void {
    const now = this.#options.clock.now();
    const message = error instanceof Error ? error.message : String(error);
    const { hint } = isFailure(error) ? error : {};
    this.#tell({
      ...this.#state,
      state: 'stopped',
      seenAt: now,
      since: this.#state.state === 'stopped' ? this.#state.since : now,
      restarts: this.#state.restarts + 1,
      failure: {
        code: isFailure(error) ? error.code : 'internal',
        message,
        ...(hint === undefined ? {} : { hint }),
      },
    });
  }

  stopped(): void {
    const now = this.#options.clock.now();
    this.#tell({ ...this.#state, state: 'stopped', seenAt: now, since: now });
  }

  /** At each change, else now and then: what is said each second would be written down each second. */
  #tell(state: JournalState): void {
    const before = this.#state;
    this.#state = state;
    const changed = before.state !== state.state || before.failure !== state.failure;
    if (!changed && state.seenAt - this.#toldAt < TOLD_EVERY_MS) return;
    this.#toldAt = state.seenAt;
    this.#options.onState(state);
  }
}

function findingOf(record: Readonly<Record<string, unknown>>): Finding {
  const { severity, code, subject, message, hint } = record;
  return {
    severity: severity === 'error' || severity === 'note' ? severity : 'warning',
    code: String(code),
    subject: String(subject),
    message: String(message),
    ...(typeof hint === 'string' ? { hint } : {}),
  };
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** What is over when an event comes: a gap with the base behind it, what kept the stream away with the stream. */
const MENDED_BY: Readonly<Record<string, readonly string[]>> = {
  'base-taken': ['journal.gap', 'journal.base-missing', 'journal.slot-lost'],
  streaming: [
    'journal.server-away',
    'journal.ahead',
    'journal.spool-low',
    'journal.slot-not-kept',
    'journal.not-synchronous',
  ],
};
/** A window begins or ends with these. */
const CHANGES: readonly string[] = ['base-taken', 'gap', 'timeline', 'rolled-up'];
const TOLD_EVERY_MS = 2000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
/** What has run so long was no failed start. */
const LONG_ENOUGH_MS = 60_000;
