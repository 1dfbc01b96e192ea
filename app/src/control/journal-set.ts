import type { Clock, Finding, Random } from '@holdfast/engine';
import type { JournalState } from '../catalog/records.ts';
import type { Policy, SourcePolicy } from '../policy/model.ts';
import type { Order } from '../protect/task.ts';
import { keepJournalRunning } from './journal-keeper.ts';
import { journalRates } from './share-of-rates.ts';
import type { Worker, WorkerAudience } from './worker-process.ts';

export interface JournalSetOptions {
  readonly start: (order: Order, audience: WorkerAudience) => Worker;
  readonly stateDirectory: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly onState: (state: JournalState) => void;
  readonly onFinding: (source: SourcePolicy, finding: Finding) => void;
  readonly onMended: (source: SourcePolicy, codes: readonly string[]) => void;
  /** Something else than slices was written: the source's repository is to be looked at again. */
  readonly onChange: (source: SourcePolicy) => void;
}

interface Kept {
  /** What the journal was started with: another one is another journal. */
  readonly terms: string;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** The journals of a policy, all running. */
export class JournalSet implements AsyncDisposable {
  readonly #options: JournalSetOptions;
  readonly #kept = new Map<string, Kept>();
  #following: Promise<void> = Promise.resolve();
  #ending = false;

  constructor(options: JournalSetOptions) {
    this.#options = options;
  }

  /** Starts what is new, stops what is gone, starts again what is to be kept in another way; one policy after the other. */
  follow(policy: Policy): Promise<void> {
    this.#following = this.#following.catch(() => undefined).then(() => this.#follow(policy));
    return this.#following;
  }

  async #follow(policy: Policy): Promise<void> {
    if (this.#ending) return;
    const wanted = new Map(
      policy.sources.filter(({ journal }) => journal !== undefined).map((s) => [s.name, s]),
    );
    for (const [name, kept] of this.#kept) {
      const source = wanted.get(name);
      if (source !== undefined && termsOf(source, policy) === kept.terms) continue;
      kept.stop.abort();
      await kept.ended;
      this.#kept.delete(name);
    }
    for (const [name, source] of wanted) {
      if (!this.#kept.has(name)) this.#kept.set(name, this.#start(source, policy));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending = true;
    await this.#following.catch(() => undefined);
    for (const { stop } of this.#kept.values()) stop.abort();
    await Promise.all([...this.#kept.values()].map(({ ended }) => ended));
    this.#kept.clear();
  }

  #start(source: SourcePolicy, policy: Policy): Kept {
    const { start, stateDirectory, clock, random, onState, onFinding, onMended, onChange } = this.#options;
    const stop = new AbortController();
    const order: Order = {
      task: { kind: 'journal', source: source.name },
      policy,
      stateDirectory,
      findings: [],
      rates: journalRates(policy, source.name),
    };
    const ended = keepJournalRunning({
      source: source.name,
      start: (audience) => start(order, audience),
      clock,
      random,
      onState,
      onFinding: (finding) => onFinding(source, finding),
      onMended: (codes) => onMended(source, codes),
      onChange: () => onChange(source),
      signal: stop.signal,
    });
    return { terms: termsOf(source, policy), stop, ended };
  }
}

/** All that a journal is started with. */
function termsOf(source: SourcePolicy, policy: Policy): string {
  const { name, system, journal, objective, repository } = source;
  const place = policy.repositories.find((one) => one.name === repository);
  return JSON.stringify([
    policy.stack,
    name,
    system,
    journal,
    objective.rpo,
    place,
    journalRates(policy, name),
  ]);
}
