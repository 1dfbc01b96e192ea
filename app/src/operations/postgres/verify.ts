import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import type { Work } from '../../cli/command-frame.ts';
import type { VerifyPostgres } from '../../cli/commands/postgres/verify.ts';
import { EVIDENCE_TAGS, readEvidence } from '../../sources/postgres/evidence/evidence.ts';
import { planVerification, verifyEvidence } from '../../sources/postgres/evidence/verification.ts';
import type { VerifyStep } from '../../sources/postgres/evidence/verify-copy.ts';
import type { Machine } from '../machine.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { showRestore } from '../restore-progress.ts';
import { chooseSnapshot } from '../snapshot-choice.ts';

type VerifyMachine = AccessMachine & Pick<Machine, 'workingDirectory'>;

export function verifyPostgres(machine: VerifyMachine): VerifyPostgres {
  return async (access, request, work) => {
    const { clock, workingDirectory } = machine;
    const startedAt = clock.now();
    await using opened = await openAccess(access, { intent: 'read', signal: work.signal }, machine);
    const { repository, signal } = opened;
    // Of several lists of tags each is an alternative: whatever is asked for, it is to be evidence.
    const tag = (request.tag ?? [[]]).map((tags) => [...EVIDENCE_TAGS, ...tags]);
    const { snapshot } = await chooseSnapshot(repository, request.at, { ...request, tag }, signal);
    const indexed = await repository.loadIndex(signal);
    const evidence = await readEvidence(indexed, snapshot, signal);
    const plan = await planVerification(indexed, evidence, { clock, signal });
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
      findings: found.findings,
      bytes: found.bytes,
      recoveryMilliseconds: found.recoveryTime,
      milliseconds: clock.now() - startedAt,
      restorableUntil: new Date(found.restorableUntil).toISOString(),
    };
  };
}

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
