import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import {
  type Clock,
  type Finding,
  isFailure,
  type Repository,
  type StoredSnapshot,
  shortId,
} from '@holdfast/engine';
import type { Work } from '../../cli/command-frame.ts';
import type { VerifyPostgres, VerifyPostgresRequest } from '../../cli/commands/postgres/verify.ts';
import { type RepositoryView, viewRepository } from '../../journal/repository-view.ts';
import { EVIDENCE_TAGS, type Evidence, readEvidence } from '../../sources/postgres/evidence/evidence.ts';
import { planVerification, verifyEvidence } from '../../sources/postgres/evidence/verification.ts';
import type { VerifyStep } from '../../sources/postgres/evidence/verify-copy.ts';
import type { MomentPlan } from '../../sources/postgres/restore/plan-moment.ts';
import type { Machine } from '../machine.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { showRestore } from '../restore-progress.ts';
import { chooseSnapshot, chooseSnapshots } from '../snapshot-choice.ts';

type VerifyMachine = AccessMachine & Pick<Machine, 'workingDirectory'>;

export function verifyPostgres(machine: VerifyMachine): VerifyPostgres {
  return async (access, request, work) => {
    const { clock, workingDirectory } = machine;
    const startedAt = clock.now();
    await using opened = await openAccess(access, { intent: 'read', ...work }, machine);
    const { repository, signal } = opened;
    const candidates = await candidatesFor(repository, request, signal);
    const view = await viewRepository(repository, signal);
    const { indexed } = view;
    const { snapshot, evidence, plan, skipped } = await newestReached(view, candidates, { clock, signal });
    const found = await verifyEvidence(indexed, evidence, plan, {
      workDirectory: request.work === undefined ? tmpdir() : resolve(workingDirectory, request.work),
      clock,
      signal,
      onRestore: (watch) => showRestore(work.progress, watch, clock.now()),
      onStep: (step, subject) => showStep(work.progress, step, subject, clock.now()),
    });
    const { record } = plan.base;
    return {
      evidence: snapshot.id,
      takenAt: evidence.startedAt,
      base: found.base,
      server: evidence.server,
      serverVersion: record.settings['server_version'] ?? String(record.major),
      content: found.content,
      ...(found.pages === undefined ? {} : { pages: found.pages.pages }),
      ...(found.structure === undefined ? {} : { structure: found.structure }),
      findings: [...skipped.map((each) => skippedFinding(each, clock.now())), ...found.findings],
      bytes: found.bytes,
      recoveryMilliseconds: found.recoveryTime,
      milliseconds: clock.now() - startedAt,
      restorableUntil: new Date(found.restorableUntil).toISOString(),
    };
  };
}

/** What was asked for, and for `latest` those before it of the same server: newest first. */
async function candidatesFor(
  repository: Repository,
  request: VerifyPostgresRequest,
  signal: AbortSignal,
): Promise<readonly StoredSnapshot[]> {
  // Of several lists of tags each is an alternative: whatever is asked for, it is to be evidence.
  const filter = { ...request, tag: (request.tag ?? [[]]).map((tags) => [...EVIDENCE_TAGS, ...tags]) };
  const { snapshot } = await chooseSnapshot(repository, request.at, filter, signal);
  if (request.at !== 'latest') return [snapshot];
  const all = await chooseSnapshots(repository, [], filter, signal);
  const older = all.filter(({ id, paths }) => id !== snapshot.id && paths[0] === snapshot.paths[0]);
  return [snapshot, ...older.reverse()];
}

interface Chosen {
  readonly snapshot: StoredSnapshot;
  readonly evidence: Evidence;
  readonly plan: MomentPlan;
  /** Newer ones, to which base and journal do not lead. */
  readonly skipped: readonly StoredSnapshot[];
}

/** Evidence is there at once, the journal's last minutes are not. Throws what keeps from the newest when none is reached. */
async function newestReached(
  view: RepositoryView,
  candidates: readonly StoredSnapshot[],
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Chosen> {
  let failure: unknown;
  const skipped: StoredSnapshot[] = [];
  for (const snapshot of candidates) {
    try {
      const evidence = await readEvidence(view.indexed, snapshot, options.signal);
      return { snapshot, evidence, plan: await planVerification(view, evidence, options), skipped };
    } catch (error) {
      if (!isFailure(error, 'point.unreachable')) throw error;
      failure ??= error;
      skipped.push(snapshot);
    }
  }
  throw failure;
}

/** A journal that is behind by minutes is as it should be; one that is behind by more is not known to come. */
function skippedFinding({ id, time }: StoredSnapshot, now: number): Finding {
  return {
    severity: now - Date.parse(time) < SOON ? 'note' : 'warning',
    code: 'evidence.unreached',
    subject: `evidence ${shortId(id)}`,
    message: 'base and journal do not lead to this newer evidence yet',
    hint: 'Does holdfast postgres journal run, and does it reach this repository?',
  };
}

/** Milliseconds. */
const SOON = 3_600_000;

const PHASES: Readonly<Record<VerifyStep, string>> = {
  recovering: 'Recovering',
  comparing: 'Comparing',
  indexes: 'Checking indexes',
  pages: 'Summing pages',
};

function showStep(progress: Work['progress'], step: VerifyStep, subject: string, startedAt: number): void {
  progress.watch(() => ({
    phase: PHASES[step],
    startedAt,
    files: 0,
    bytes: 0,
    errors: 0,
    items: [subject],
  }));
}
