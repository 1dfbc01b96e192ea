import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import {
  type DeletionPlan,
  executeDeletion,
  type NotKept,
  planDeletion,
  type RestoreProblem,
  resolveFolder,
  restoreSnapshot,
} from '@holdfast/engine';
import type { PlanRestore, RestoreRequest } from '../../cli/commands/files/restore.ts';
import { formatCounted } from '../../cli/format.ts';
import type { Planned } from '../../cli/planned.ts';
import type { Problem } from '../../cli/render/problems.ts';
import type { RestorePlan } from '../../cli/render/restore-plan.ts';
import type { RestoreSummary } from '../../cli/render/restore-summary.ts';
import type { Machine } from '../machine.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { showRestore } from '../restore-progress.ts';
import { chooseSnapshot } from '../snapshot-choice.ts';

export type RestoreMachine = AccessMachine & Pick<Machine, 'workingDirectory'>;

/** Opens the point and looks what `--delete` would remove; all else is decided file by file while restoring. */
export function planRestore(machine: RestoreMachine): PlanRestore {
  return async (access, request, work): Promise<Planned<RestorePlan, RestoreSummary>> => {
    const { limitDownload, limitRequests } = request;
    const limits = {
      ...(limitDownload === undefined ? {} : { limitDownload }),
      ...(limitRequests === undefined ? {} : { limitRequests }),
    };
    await using opening = new AsyncDisposableStack();
    const opened = opening.use(await openAccess(access, { intent: 'read', ...work, ...limits }, machine));
    const { repository, signal } = opened;
    const { snapshot, folder } = await chooseSnapshot(repository, request.snapshot, request, signal);
    const indexed = await repository.loadIndexToRead(signal);
    const source = { tree: await resolveFolder(indexed, snapshot.tree, folder, signal) };
    const target = resolve(machine.workingDirectory, request.target);
    const place = { target, rules: rulesOf(request), signal };
    const failed: Problem[] = [];
    const incomplete: Problem[] = [];
    const onProblem = (problem: RestoreProblem) =>
      (problem.kind === 'incomplete' ? incomplete : failed).push(problemOf(problem));
    const deletion =
      request.delete === true ? await planDeletion(indexed, source, { ...place, onProblem }) : undefined;
    const open = opening.move();
    return {
      plan: { target, deletions: deletionsOf(deletion), token: tokenOf(snapshot.id, deletion) },
      execute: async ({ progress }) => {
        const startedAt = machine.clock.now();
        const dryRun = request.dryRun ?? false;
        // Deleting first: it changes the times of directories, and those are what restoring sets last.
        const deleted =
          deletion === undefined || dryRun ? 0 : executeDeletion(deletion, { signal, onProblem }).deleted;
        const { counts, notKept } = await restoreSnapshot(indexed, source, {
          ...place,
          clock: machine.clock,
          overwrite: request.overwrite,
          ownership: request.ownership ? 'id' : 'none',
          ...(request.sparse === undefined ? {} : { sparse: request.sparse }),
          verify: request.verify ?? false,
          salvage: request.salvage ?? false,
          dryRun,
          onProblem,
          onStart: (watch) => showRestore(progress, watch, startedAt),
        });
        return {
          target,
          dryRun,
          filesRestored: (dryRun ? counts.filesExpected : counts.filesDone) - counts.filesUnchanged,
          filesUnchanged: counts.filesUnchanged,
          filesSkipped: counts.kept,
          filesDeleted: dryRun ? (deletion?.entries.length ?? 0) : deleted,
          bytesWritten: dryRun ? counts.bytesExpected : counts.bytesWritten,
          ...(request.verify === true ? { filesVerified: counts.filesVerified } : {}),
          milliseconds: machine.clock.now() - startedAt,
          traffic: opened.traffic(),
          failed,
          incomplete,
          notKept: notKept.map(sentenceOf),
        };
      },
      [Symbol.asyncDispose]: () => open.disposeAsync(),
    };
  };
}

function rulesOf({ include, iinclude, exclude, iexclude }: RestoreRequest) {
  return {
    ...(include === undefined ? {} : { include }),
    ...(iinclude === undefined ? {} : { includeIgnoringCase: iinclude }),
    ...(exclude === undefined ? {} : { exclude }),
    ...(iexclude === undefined ? {} : { excludeIgnoringCase: iexclude }),
  };
}

function deletionsOf(deletion: DeletionPlan | undefined): string[] {
  return (deletion?.entries ?? []).map(({ path, isDirectory }) => (isDirectory ? `${path}/` : path));
}

/** Changes with the point, the target and every entry that would go, also when something else took its name. */
function tokenOf(snapshot: string, deletion: DeletionPlan | undefined): string {
  const hash = createHash('sha256').update(snapshot);
  if (deletion !== undefined) {
    hash.update(`\0${deletion.target}`);
    for (const { path, inode, device } of deletion.entries) hash.update(`\0${path}\0${inode}\0${device}`);
  }
  return hash.digest('hex').slice(0, TOKEN_DIGITS);
}

const TOKEN_DIGITS = 12;

function problemOf({ path, message }: RestoreProblem): Problem {
  return { path, message };
}

const LOST = {
  owners: 'The owner',
  modes: 'The permissions',
  attributes: 'Extended attributes',
  times: 'The exact times',
  specials: 'The special file',
  sockets: 'The socket',
} as const satisfies Record<NotKept['kind'], string>;

function sentenceOf({ kind, count, reason }: NotKept): string {
  return `${LOST[kind]} could not be set for ${formatCounted(count, 'entry', 'entries')}: ${reason}`;
}
