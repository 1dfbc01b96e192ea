import { isFailure } from '@holdfast/engine';
import { readFindings } from '../catalog/findings.ts';
import { readLastEnd } from '../catalog/runs.ts';
import type { Policy } from '../policy/model.ts';
import type { Session } from '../state/session.ts';
import { readLedgerMarks } from './ledger-marks.ts';
import { ledgersDue } from './ledgers-due.ts';
import { runTask, type TaskParts } from './run-task.ts';
import { SILENT } from './worker-process.ts';

export interface LedgerKeeperParts extends TaskParts {
  /** Hears why one could not be written; it is tried again. */
  readonly onTrouble: (error: unknown) => void;
}

/**
 * Writes what only the memory knows into every repository, now and then: each retention run does, so that this is for what
 * happens between them, and for a policy that is new. One at a time, and nobody waits for it. Stopped when disposed of.
 */
export class LedgerKeeper implements AsyncDisposable {
  readonly #parts: LedgerKeeperParts;
  readonly #stop = new AbortController();
  #work: Promise<void> | undefined;
  #nextLook = 0;

  constructor(parts: LedgerKeeperParts) {
    this.#parts = parts;
  }

  /** A policy that is new is written down without waiting for the next look. */
  hurry(): void {
    this.#nextLook = 0;
  }

  /** Called at each tick. */
  look(now: number): void {
    if (now < this.#nextLook || this.#work !== undefined) return;
    this.#nextLook = now + LOOK_EVERY_MS;
    this.#work = this.#write(now)
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted) this.#parts.onTrouble(error);
      })
      .finally(() => {
        this.#work = undefined;
      });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }

  async #write(now: number): Promise<void> {
    const { signal } = this.#stop;
    const { policy } = this.#parts.policy();
    for (const repository of await behindBy(this.#parts.database, policy, { now, every: EVERY_MS })) {
      if (signal.aborted) return;
      try {
        await runTask({ kind: 'record', repository }, this.#parts, SILENT, signal);
      } catch (error) {
        // A repository that cannot be reached must not keep the others without theirs.
        if (!isFailure(error) || signal.aborted) throw error;
        this.#nextLook = now + TRY_AGAIN_MS;
        this.#parts.onTrouble(error);
      }
    }
  }
}

/** The repositories whose ledger lacks what happened since, if that one is `every` milliseconds old by now. */
export async function behindBy(
  session: Session,
  policy: Policy,
  { now, every }: { readonly now: number; readonly every: number },
): Promise<string[]> {
  const seen = (await readFindings(session)).map(({ seenAt }) => seenAt);
  const ended = await readLastEnd(session);
  const changes = [...seen, ...(ended === undefined ? [] : [ended])];
  return ledgersDue({
    repositories: policy.repositories.map(({ name }) => name),
    written: await readLedgerMarks(session, policy),
    changedAt: changes.length === 0 ? undefined : Math.max(...changes),
    now,
    every,
  });
}

const LOOK_EVERY_MS = 60_000;
const TRY_AGAIN_MS = 600_000;
/** What a disk that dies takes with it of our history, at most. */
const EVERY_MS = 6 * 3_600_000;
