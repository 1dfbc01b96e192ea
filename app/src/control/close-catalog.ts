import { readUnfinishedRuns } from '../catalog/runs.ts';
import type { Policy } from '../policy/model.ts';
import type { Task } from '../protect/task.ts';
import type { Session } from '../state/session.ts';
import { behindBy, type LedgerKeeperParts } from './ledger-keeper.ts';
import { scopeOf } from './policy-works.ts';
import { runTask } from './run-task.ts';
import { SILENT } from './worker-process.ts';

/**
 * What a control plane that has led does last, when nothing runs any more: the repositories get what only its memory knows,
 * and its memory what it does not know of them. So memory and repositories say the same while it rests, and either may be
 * lost. It costs no long waiting: what is not through in time is done after the next start.
 */
export async function closeCatalog(parts: LedgerKeeperParts): Promise<void> {
  const signal = AbortSignal.timeout(LONGEST_MS);
  const { policy } = parts.policy();
  const tasks = await lastTasks(parts, policy);
  await Promise.all(
    tasks.map(async (task) => {
      try {
        await runTask(task, parts, SILENT, signal);
      } catch (error) {
        parts.onTrouble(error);
      }
    }),
  );
}

async function lastTasks({ database, clock }: LedgerKeeperParts, policy: Policy): Promise<Task[]> {
  const ledgers = await behindBy(database, policy, { now: clock.now(), every: 0 });
  const unseen = policy.repositories.map(({ name }) => name).filter(await writtenUnseen(database, policy));
  return [
    ...ledgers.map((repository) => ({ kind: 'record', repository }) as const),
    ...unseen.map((repository) => ({ kind: 'survey', repository }) as const),
  ];
}

/** Journals write more often than is remembered, and a run that was stopped halfway may have done some of its work. */
async function writtenUnseen(session: Session, policy: Policy): Promise<(repository: string) => boolean> {
  const stopped = await readUnfinishedRuns(session);
  const places = new Set([
    ...policy.sources.flatMap(({ journal, repository }) => (journal === undefined ? [] : [repository])),
    ...stopped
      .filter(({ state }) => state === 'running')
      .flatMap(({ kind, about }) => scopeOf(policy, kind, about).repositories),
  ]);
  return (repository) => places.has(repository);
}

/** Half of what a container gets, and less than any service manager waits. */
const LONGEST_MS = 20_000;
