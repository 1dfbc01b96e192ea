import path from 'node:path';
import { Failure } from '@holdfast/engine';
import { accessFor, type Duty, kibibytes, repositoryNamed, sourceNamed } from './hands.ts';
import { sourceTags } from './labels.ts';
import { serverUrl } from './server-url.ts';
import { NOTHING_CHANGED, type TaskOutcome } from './task.ts';

/** Keeps a source's journal until the signal aborts. */
export async function followJournal(duty: Duty, name: string): Promise<TaskOutcome> {
  const { order, hands, work } = duty;
  const source = sourceNamed(order.policy, name);
  const { system, journal, objective } = source;
  if (system.kind !== 'postgres' || journal === undefined) {
    throw new Failure('usage', `the policy has no journal for "${name}"`);
  }
  const repository = repositoryNamed(order.policy, source.repository);
  const maxRate = kibibytes(system.maxRate);
  const summary = await hands.operations.keepJournal(
    await accessFor(duty, repository),
    {
      url: await serverUrl(system, hands, work.signal),
      spool: journal.spool ?? path.join(order.stateDirectory, 'journal', source.name),
      rpo: Math.max(SHORTEST_RPO, objective.rpo ?? USUAL_RPO),
      slot: journal.slot,
      name: journal.slot,
      baseAfterGap: true,
      checkpoint: system.checkpoint,
      tag: [sourceTags(order.policy.stack, source.name)],
      ...(maxRate === undefined ? {} : { maxRate }),
    },
    work,
  );
  const { received, slices } = summary;
  return {
    ...NOTHING_CHANGED,
    result: { snapshots: [], bytes: received, added: 0, findings: [], summary: `${slices} slices` },
  };
}

/** Milliseconds. */
const SHORTEST_RPO = 1000;
const USUAL_RPO = 300_000;
