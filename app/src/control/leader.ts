import type { Clock, Failure, Random } from '@holdfast/engine';
import { closeSourceFindings, saveFindings } from '../catalog/findings.ts';
import { readJournals, removeJournal, saveJournal } from '../catalog/journals.ts';
import { readPolicies, savePolicy } from '../catalog/policies.ts';
import { pruneRuns } from '../catalog/runs.ts';
import type { Order } from '../protect/task.ts';
import type { RunQueue } from '../queue/run-queue.ts';
import type { State } from '../state/state.ts';
import type { CurrentPolicy } from './current-policy.ts';
import { JournalSet } from './journal-set.ts';
import { LedgerKeeper } from './ledger-keeper.ts';
import { outdateLedgers } from './ledger-marks.ts';
import { newRun, type TickReport, tick } from './tick.ts';
import { troubleOf } from './trouble.ts';
import type { Worker, WorkerAudience } from './worker-process.ts';

export interface LeaderParts {
  readonly state: State;
  readonly queue: RunQueue;
  readonly current: CurrentPolicy;
  readonly clock: Clock;
  readonly random: Random;
  readonly stateDirectory: string;
  readonly start: (order: Order, audience: WorkerAudience) => Worker;
  /** Looks at everything and tells who must know; whether the next look should come soon. Never rejects for what it finds. */
  readonly watch: () => Promise<boolean>;
  readonly onTick: (report: TickReport) => void;
  readonly onTrouble: (failure: Failure) => void;
}

/**
 * What only one control plane of several may do: decide what is due, keep journals, judge, tell. Resolves when the signal
 * aborts: ours, or that of the leadership, when the connection that it hangs on is lost.
 */
export async function lead(parts: LeaderParts, signal: AbortSignal): Promise<void> {
  const { state, queue, current, clock, onTick, onTrouble } = parts;
  await using journals = journalsOf(parts);
  await using ledgers = new LedgerKeeper({
    ...parts,
    database: state.database,
    policy: () => current.loaded,
    onTrouble: (error) => onTrouble(troubleOf(error)),
  });
  let followed: string | undefined;
  let prunedAt = 0;
  while (!signal.aborted) {
    let pause = TICK_MS;
    try {
      const { policy, text } = current.loaded;
      const now = clock.now();
      if (followed !== text.hash) {
        await takeOver(parts);
        ledgers.hurry();
        followed = text.hash;
        // Journals end in their own time; what is due must not wait for it.
        void journals.follow(policy).catch((error: unknown) => onTrouble(troubleOf(error)));
      }
      onTick(await tick({ database: state.database, queue, policy, now }));
      ledgers.look(now);
      if (await parts.watch()) pause = SOON_MS;
      if (now - prunedAt > DAY_MS) {
        await pruneRuns(state.database, now - HISTORY_MS);
        prunedAt = now;
      }
    } catch (error) {
      if (!signal.aborted) onTrouble(troubleOf(error));
    }
    await clock.sleep(pause, signal).catch(() => undefined);
  }
}

function journalsOf(parts: LeaderParts): JournalSet {
  const { state, queue, current, clock, random, stateDirectory, start, onTrouble } = parts;
  const attempt = (work: Promise<unknown>) =>
    void work.catch((error: unknown) => onTrouble(troubleOf(error)));
  return new JournalSet({
    start,
    stateDirectory,
    clock,
    random,
    onState: (journal) => attempt(saveJournal(state.database, journal)),
    onFinding: ({ repository, name }, finding) => {
      const now = clock.now();
      const open = { ...finding, repository, source: name, snapshots: [], foundAt: now, seenAt: now };
      if (finding.severity !== 'note') attempt(saveFindings(state.database, [open]));
    },
    onMended: ({ repository, name }, codes) => {
      const which = { repository, source: name, codes, lookedAt: clock.now() };
      attempt(closeSourceFindings(state.database, which));
    },
    onChange: ({ repository }) => {
      const now = clock.now();
      const wish = {
        kind: 'survey',
        about: repository,
        cause: 'gap',
        dueAt: now,
        notBefore: now,
        attempt: 1,
      } as const;
      attempt(queue.enqueue(newRun(current.loaded.policy, wish)));
    },
  });
}

/** Remembers the policy; of one that is new the repositories have to hear. */
async function takeOver(parts: LeaderParts): Promise<void> {
  const { state, current } = parts;
  const { policy, text, since } = current.loaded;
  const [before] = await readPolicies(state.database, 1);
  if (before?.hash !== text.hash) await outdateLedgers(state.database, policy);
  await savePolicy(state.database, { ...text, seenAt: since });
  await dropOtherJournals(parts);
}

/** Of journals that the policy does not have any more nothing is to be said. */
async function dropOtherJournals({ state, current }: LeaderParts): Promise<void> {
  const kept = new Set(
    current.loaded.policy.sources.filter(({ journal }) => journal !== undefined).map(({ name }) => name),
  );
  for (const { source } of await readJournals(state.database)) {
    if (!kept.has(source)) await removeJournal(state.database, source);
  }
}

const TICK_MS = 1000;
const SOON_MS = 250;
const DAY_MS = 86_400_000;
/** How long ended runs are remembered. */
const HISTORY_MS = 120 * DAY_MS;
