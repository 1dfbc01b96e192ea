import { isFailure, type Repository, startCrewThreads } from '@holdfast/engine';
import type { Work } from '../../cli/command-frame.ts';
import type { BackUpBase, BaseEvidence, BaseSummary } from '../../cli/commands/postgres/backup.ts';
import {
  type BaseWatch,
  type SentBase,
  backUpBase as takeBase,
} from '../../sources/postgres/base/base-backup.ts';
import { BASE_TAGS } from '../../sources/postgres/base/base-record.ts';
import { USUAL_LIMITS } from '../../sources/postgres/evidence/table-plan.ts';
import { type LabelMachine, labelsOf } from '../files/snapshot-labels.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { collectEvidence, type EvidenceOrder } from './evidence.ts';
import { hostOf, type ServerMachine, serverOf } from './server.ts';

type BaseMachine = AccessMachine & LabelMachine & ServerMachine;

export function backUpBase(machine: BaseMachine): BackUpBase {
  return async (access, request, work) => {
    const { checkpoint, compression, maxRate, full = false, tag = [] } = request;
    const address = await serverOf(request, machine);
    const threads = startCrewThreads();
    try {
      await using opened = await openAccess(access, { intent: 'write', ...work }, machine);
      const startedAt = machine.clock.now();
      const { snapshot, record, sent, findings, took } = await takeBase(opened.repository, {
        address,
        clock: machine.clock,
        labels: labelsOf(
          { host: request.host ?? hostOf(address, machine), tag: [BASE_TAGS, ...tag] },
          machine,
        ),
        checkpoint,
        compression,
        acceptDamage: request.acceptDamage === true,
        whole: full,
        threads,
        retryLock: access.retryLock,
        signal: opened.signal,
        onStart: (watch) => show(work.progress, watch, startedAt),
        ...(maxRate === undefined ? {} : { maxRate }),
      });
      const { summary: figures } = snapshot;
      if (figures === undefined) throw new Error('a base that was just taken has figures');
      const order = {
        address,
        limits: BASE_LIMITS,
        labels: { tag, ...(request.host === undefined ? {} : { host: request.host }) },
        retryLock: access.retryLock,
      };
      const behind = { ...work, signal: opened.signal };
      const evidence = request.evidence
        ? await tryEvidence(opened.repository, order, machine, behind)
        : undefined;
      return {
        snapshot: snapshot.id,
        stored: snapshot,
        server: record.server,
        serverVersion: record.settings['server_version'] ?? String(record.major),
        systemId: record.systemId,
        timeline: record.start.timeline,
        startLsn: record.start.lsn,
        endLsn: record.end.lsn,
        ...sentSummary(sent),
        ...(record.pagesVerified === undefined ? {} : { pagesVerified: record.pagesVerified }),
        findings,
        figures,
        ...(evidence === undefined ? {} : { evidence }),
        milliseconds: took,
      };
    } finally {
      await threads.stop();
    }
  };
}

/** The base is saved: whatever keeps evidence from being taken is told, and does not make it fail. */
async function tryEvidence(
  repository: Repository,
  order: EvidenceOrder,
  machine: BaseMachine,
  work: Work,
): Promise<BaseEvidence> {
  try {
    return await collectEvidence(repository, order, machine, work);
  } catch (error) {
    work.signal.throwIfAborted();
    if (!isFailure(error)) throw error;
    return { missing: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
  }
}

function sentSummary(sent: SentBase): Pick<BaseSummary, 'sent' | 'since' | 'sentBytes' | 'fullBecause'> {
  const { bytes: sentBytes } = sent;
  if (sent.kind === 'changes') return { sent: 'changes', sentBytes, since: sent.since };
  const { because } = sent;
  return { sent: 'everything', sentBytes, ...(because === undefined ? {} : { fullBecause: because }) };
}

/** A base that is taken every hour must not count for long: holdfast postgres evidence does. */
const BASE_LIMITS = { ...USUAL_LIMITS, tableTime: 15_000, totalTime: 60_000 };

function show(progress: Work['progress'], watch: BaseWatch, startedAt: number): void {
  progress.watch(() => {
    const { files, bytes, expectedBytes } = watch.progress();
    return {
      phase: 'Saving',
      startedAt,
      files,
      bytes,
      // WAL comes on top of what the server expects: never more than all.
      ...(expectedBytes === undefined ? {} : { totalBytes: Math.max(bytes, expectedBytes) }),
      errors: 0,
      items: [],
    };
  });
}
