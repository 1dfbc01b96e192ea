import { forgetSnapshots, type Repository, type StoredSnapshot } from '@holdfast/engine';
import type { OpenFinding, Run } from '../catalog/records.ts';
import { formatCounted } from '../cli/format.ts';
import { labelsOf } from '../operations/files/snapshot-labels.ts';
import { openAccess } from '../operations/repository-access.ts';
import { saveDocuments } from '../snapshot/save-documents.ts';
import { accessFor, type Duty, repositoryNamed } from './hands.ts';
import { NOTHING_CHANGED, type TaskOutcome } from './task.ts';

/** What only the control plane's memory knows, as it is written down in a repository. */
export interface Ledger {
  readonly policy: string;
  readonly runs: readonly Run[];
  readonly findings: readonly OpenFinding[];
}

export const RECORD_TAG = 'holdfast:record';

/** Where its parts lie in the tree. */
export const LEDGER_FILES = {
  policy: 'holdfast/policy.yaml',
  runs: 'holdfast/runs.jsonl',
  findings: 'holdfast/findings.jsonl',
} as const;

/**
 * Writes the ledger into a repository, as a snapshot of its own: any of them alone brings the catalog back. Each holds all
 * that the last one did, so that the last few are enough; older ones go, once this one is saved.
 */
export async function saveLedger(duty: Duty, name: string, ledger: Ledger): Promise<TaskOutcome> {
  const { order, hands, work } = duty;
  const { machine } = hands;
  const access = await accessFor(duty, repositoryNamed(order.policy, name));
  await using opened = await openAccess(access, { intent: 'write', ...work }, machine);
  const { repository, signal } = opened;
  const stack = `stack:${order.policy.stack}`;
  const { id } = await saveDocuments(repository, documentsOf(ledger), {
    clock: machine.clock,
    labels: labelsOf({ tag: [[RECORD_TAG, stack]] }, machine),
    paths: [`/holdfast/${order.policy.stack}`],
    retryLock: access.retryLock,
    signal,
  });
  await forgetOlder(repository, stack, duty, access.retryLock, signal);
  return {
    ...NOTHING_CHANGED,
    result: {
      snapshots: [id],
      bytes: 0,
      added: 0,
      findings: [],
      summary: `${formatCounted(ledger.runs.length, 'run')} on record`,
    },
  };
}

/** Its parts by their place in the tree. */
export function documentsOf({ policy, runs, findings }: Ledger): Map<string, Buffer> {
  return new Map([
    [LEDGER_FILES.policy, Buffer.from(policy)],
    [LEDGER_FILES.runs, lines(runs)],
    [LEDGER_FILES.findings, lines(findings)],
  ]);
}

/** One line each, oldest first: what was there yesterday is the beginning, and deduplicates. */
function lines(items: readonly object[]): Buffer {
  return Buffer.from(items.map((item) => `${JSON.stringify(item)}\n`).join(''));
}

async function forgetOlder(
  repository: Repository,
  stack: string,
  { hands: { machine } }: Duty,
  retryLockFor: number,
  signal: AbortSignal,
): Promise<void> {
  const records = recordsOf(await repository.loadSnapshots(signal), stack);
  const older = records.slice(0, -KEPT_RECORDS).map(({ id }) => id);
  if (older.length === 0) return;
  await forgetSnapshots(repository, older, { clock: machine.clock, retryLockFor, undoable: true, signal });
}

/** A stack's ledgers, oldest first. */
export function recordsOf(snapshots: readonly StoredSnapshot[], stack: string): StoredSnapshot[] {
  return snapshots
    .filter(({ tags }) => tags.includes(RECORD_TAG) && tags.includes(stack))
    .toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time));
}

const KEPT_RECORDS = 5;
