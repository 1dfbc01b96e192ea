import { check, verifyCopy } from './check.ts';
import { carryCopy } from './copy.ts';
import { forgetPoints } from './forget.ts';
import type { Duty } from './hands.ts';
import { followJournal } from './journal.ts';
import { prune } from './prune.ts';
import { saveLedger } from './record.ts';
import { takeSnapshot } from './snapshot.ts';
import { surveyRepository } from './survey.ts';
import type { TaskOutcome } from './task.ts';

/** Does what was ordered. Rejects with a `Failure`; `interrupted` when the signal aborts. */
export async function carryOut(duty: Duty): Promise<TaskOutcome> {
  const { task } = duty.order;
  switch (task.kind) {
    case 'snapshot':
      return await takeSnapshot(duty, task.source);
    case 'copy':
      return await carryCopy(duty, task.copy);
    case 'verify':
      return await verifyCopy(duty, task.copy, task);
    case 'forget':
      return await forgetPoints(duty, task.repository);
    case 'prune':
      return await prune(duty, task.repository);
    case 'check':
      return await check(duty, task.repository, task);
    case 'survey':
      return await surveyRepository(duty, task.repository);
    case 'record':
      return await recordLedger(duty, task.repository);
    case 'journal':
      return await followJournal(duty, task.source);
  }
}

async function recordLedger(duty: Duty, repository: string): Promise<TaskOutcome> {
  const { ledger } = duty.order;
  if (ledger === undefined) throw new Error('an order to keep a record comes with what is to be kept');
  return await saveLedger(duty, repository, ledger);
}
