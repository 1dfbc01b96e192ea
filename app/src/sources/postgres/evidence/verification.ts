import { chown, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { type Clock, Failure, type Id, type IndexedRepository, type RestoreWatch } from '@holdfast/engine';
import type { RepositoryView } from '../../../journal/repository-view.ts';
import { defaultOwner } from '../restore/ownership.ts';
import { type MomentPlan, planMoment } from '../restore/plan-moment.ts';
import { findPrograms } from '../restore/programs.ts';
import { restoreMoment } from '../restore/restore-moment.ts';
import { type Lsn, parseLsn } from '../wal/lsn.ts';
import { type Evidence, isSampled } from './evidence.ts';
import { type CopyVerdict, type VerifyStep, verifyCopy } from './verify-copy.ts';

export interface VerifyOptions {
  /** Where a directory for the copy is made, and removed whatever happens. */
  readonly workDirectory: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onRestore?: (watch: RestoreWatch) => void;
  readonly onStep?: (step: VerifyStep, subject: string) => void;
}

export interface Verification extends CopyVerdict {
  readonly base: Id;
  /** Bytes of base and WAL that were written. */
  readonly bytes: number;
  /** Milliseconds: from nothing until the copy answered. */
  readonly recoveryTime: number;
  /** The last moment that the repository can bring back: milliseconds since the epoch. */
  readonly restorableUntil: number;
}

/**
 * How a copy is brought to where the evidence was taken. Throws `point.unreachable` when base and journal do not lead
 * there, `source.unsupported` when the evidence knows nothing of any database.
 */
export async function planVerification(
  view: RepositoryView,
  evidence: Evidence,
  options: Pick<VerifyOptions, 'clock' | 'signal'>,
): Promise<MomentPlan> {
  const positions = evidence.databases.filter(isSampled).map(({ lsn }) => parseLsn(lsn));
  const [first, ...others] = positions.toSorted((a, b) => Number(a - b));
  if (first === undefined) {
    throw new Failure('source.unsupported', 'the evidence knows nothing of any database', {
      hint: 'It says why not: holdfast repo dump ID /holdfast/evidence.json.',
    });
  }
  const { systemId, timeline } = evidence;
  const at = (lsn: Lsn) => ({ systemId, timeline, target: { kind: 'lsn', lsn } as const, inclusive: false });
  const plan = await planMoment(view, at(first), options);
  const last = others.at(-1);
  if (last === undefined) return plan;
  // The base that comes before all of them, with the WAL up to the last.
  return await planMoment(view, { ...at(last), base: plan.base.snapshot }, options);
}

/** Restores what the plan says, compares it with the evidence, looks at its pages and indexes, and removes it again. */
export async function verifyEvidence(
  indexed: IndexedRepository,
  evidence: Evidence,
  plan: MomentPlan,
  options: VerifyOptions,
): Promise<Verification> {
  const { clock, signal, onRestore } = options;
  const { record, snapshot } = plan.base;
  const programs = await findPrograms(record.major);
  const startedAt = clock.now();
  const home = await mkdtemp(path.join(options.workDirectory, 'holdfast-verify-'));
  try {
    const owner = await defaultOwner(home, record.owner);
    // Closed to everybody but the user that the server runs as.
    if (owner !== undefined) await chown(home, owner.uid, owner.gid);
    const dataDirectory = path.join(home, 'data');
    const restored = await restoreMoment(indexed, plan, {
      directory: dataDirectory,
      action: 'pause',
      clock,
      signal,
      ...(onRestore === undefined ? {} : { onStart: onRestore }),
    });
    const restoredAt = clock.now();
    const verdict = await verifyCopy({ ...options, evidence, dataDirectory, record, programs });
    return {
      ...verdict,
      base: snapshot.id,
      bytes: restored.bytes.base + restored.bytes.wal,
      recoveryTime: restoredAt - startedAt + verdict.took.recovery,
      restorableUntil: plan.to.time,
    };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
