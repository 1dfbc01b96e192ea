import { Failure } from '@holdfast/engine';
import type { Run } from '../../catalog/records.ts';
import { readRun, readUnfinishedRuns } from '../../catalog/runs.ts';
import type { BackupNow } from '../../cli/commands/backup.ts';
import { readPolicyText } from '../../control/policy-file.ts';
import { newRun } from '../../control/tick.ts';
import type { Policy } from '../../policy/model.ts';
import { RunQueue } from '../../queue/run-queue.ts';
import type { Database } from '../../state/session.ts';
import type { PolicyMachine } from '../policy/policy-file.ts';
import { parseOrRefuse } from './load-policy.ts';
import { type MemoryMachine, openMemory, refuseWithoutControlPlane } from './memory.ts';
import { policyFile } from './place.ts';

export function backupNow(machine: MemoryMachine & PolicyMachine): BackupNow {
  return async (request, { progress, signal }) => {
    const { clock } = machine;
    const policy = parseOrRefuse(await readPolicyText(policyFile(request, machine)), machine);
    const names = chosen(policy, request.sources);
    await using state = await openMemory(request, machine, signal);
    await refuseWithoutControlPlane(state, machine);
    await using queue = await RunQueue.open(state.database, clock);
    const ids = await Promise.all(
      names.map((name) => askFor(name, policy, { queue, database: state.database, now: clock.now() })),
    );
    const startedAt = clock.now();
    let runs: readonly Run[] = [];
    progress.watch(() => ({
      phase: 'Waiting for the control plane',
      startedAt,
      noun: 'snapshot',
      files: runs.filter(hasEnded).length,
      totalFiles: ids.length,
      bytes: 0,
      errors: runs.filter((run) => run.state === 'failed').length,
      items: runs.filter((run) => !hasEnded(run)).map(({ about, state: how }) => `${about}: ${how}`),
    }));
    for (;;) {
      runs = (await Promise.all(ids.map((id) => readRun(state.database, id)))).flatMap((run) => run ?? []);
      if (runs.every(hasEnded)) return runs;
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  };
}

function chosen({ sources }: Policy, wanted: readonly string[]): readonly string[] {
  const known = sources.map(({ name }) => name);
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Failure('usage', `the policy has no source "${unknown.join('", "')}"`, {
      hint: `It has ${known.join(', ')}.`,
    });
  }
  return wanted.length === 0 ? known : wanted;
}

interface Asking {
  readonly queue: RunQueue;
  readonly database: Database;
  readonly now: number;
}

/** The id of the run that is waited for: a new one, or the one that is there already. */
async function askFor(source: string, policy: Policy, { queue, database, now }: Asking): Promise<string> {
  const wish = {
    kind: 'snapshot',
    about: source,
    cause: 'person',
    dueAt: now,
    notBefore: now,
    attempt: 1,
  } as const;
  for (;;) {
    const queued = await queue.enqueue(newRun(policy, wish));
    if (queued !== 'already there') return queued.id;
    const open = (await readUnfinishedRuns(database)).find(
      (run) => run.kind === 'snapshot' && run.about === source,
    );
    // It ended between the two questions: then there is room for ours.
    if (open !== undefined) return open.id;
  }
}

function hasEnded({ endedAt }: Run): boolean {
  return endedAt !== undefined;
}

const LOOK_EVERY_MS = 500;
