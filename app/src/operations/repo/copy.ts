import {
  type CopyProgress,
  copySnapshots as copyBetween,
  Failure,
  type Finding,
  type Id,
  isFailure,
  shortId,
} from '@holdfast/engine';
import type { Work } from '../../cli/command-frame.ts';
import type { CopySnapshots } from '../../cli/commands/repo/copy.ts';
import { readDataOf } from '../data-subset.ts';
import type { Machine } from '../machine.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { chooseSnapshots } from '../snapshot-choice.ts';

export function copySnapshots(machine: AccessMachine): CopySnapshots {
  return async (targetAccess, sourceAccess, request, work) => {
    const { clock, random } = machine;
    const { dryRun = false, limitUpload, limitDownload } = request;
    const startedAt = clock.now();
    await using source = await openAccess(
      sourceAccess,
      { intent: 'read', ...work, ...(limitDownload === undefined ? {} : { limitDownload }) },
      machine,
    );
    // Whatever ends the one's lock ends the work on both. The copy takes the target's lock itself.
    await using target = await openAccess(
      targetAccess,
      {
        intent: dryRun ? 'rehearse' : 'write',
        signal: source.signal,
        ...(limitUpload === undefined ? {} : { limitUpload }),
      },
      machine,
    );
    const unreadable: Finding[] = [];
    const found = await chooseSnapshots(
      source.repository,
      request.snapshots,
      request,
      source.signal,
      (id, failure) => unreadable.push(unreadableSnapshot(id, failure)),
    );
    const { choose } = request;
    // One that cannot be read over there is none that is there.
    const snapshots =
      choose === undefined
        ? found
        : await choose(found, await target.repository.loadSnapshots(target.signal, () => undefined));
    const report = await sayingHowToGoOn(() =>
      copyBetween(source.repository, target.repository, {
        clock,
        random,
        snapshots,
        dryRun,
        verify: readDataOf(request.verifySample),
        retryLockFor: targetAccess.retryLock,
        onProgress: progressTo(work, clock),
        signal: target.signal,
      }),
    );
    const findings = [...unreadable, ...report.findings];
    return { ...report, findings, dryRun, milliseconds: clock.now() - startedAt };
  };
}

/** What it holds, and so whether it was meant, nobody knows. */
function unreadableSnapshot(id: Id, { message }: Failure): Finding {
  return {
    severity: 'error',
    code: 'copy.snapshot-unreadable',
    subject: `snapshot ${shortId(id)}`,
    message: `It was not copied, since its file in the source cannot be read: ${message}.`,
    hint: 'Its files may still be in the source, but what led to them is lost.',
  };
}

const PHASES = {
  plan: 'Reading folders',
  copy: 'Copying',
  verify: 'Reading back',
} as const satisfies Record<CopyProgress['phase'], string>;

function progressTo({ progress }: Work, clock: Machine['clock']): (step: CopyProgress) => void {
  let latest: CopyProgress | undefined;
  let since = clock.now();
  return (step) => {
    const began = step.phase !== latest?.phase;
    latest = step;
    if (!began) return;
    since = clock.now();
    progress.watch(() => sampleOf(latest ?? step, since));
  };
}

function sampleOf({ phase, done, total, snapshots, totalSnapshots }: CopyProgress, startedAt: number) {
  const common = { phase: PHASES[phase], startedAt, errors: 0, items: [] };
  if (phase === 'plan') return { ...common, noun: 'folder', files: done, bytes: 0 };
  const counted = { noun: 'snapshot', files: snapshots, totalFiles: totalSnapshots };
  return { ...common, ...counted, bytes: done, ...(total === undefined ? {} : { totalBytes: total }) };
}

async function sayingHowToGoOn<Result>(copy: () => Promise<Result>): Promise<Result> {
  try {
    return await copy();
  } catch (error) {
    if (!isFailure(error, 'interrupted')) throw error;
    throw new Failure('interrupted', error.message, {
      hint: 'Snapshots that were copied are whole. The same command goes on, and does not copy again what got there.',
      cause: error,
    });
  }
}
