import type { Finding, StoredSnapshot } from '@holdfast/engine';
import type { Point } from '../catalog/records.ts';
import { formatBytes, formatCounted } from '../cli/format.ts';
import type { FilesSystem, PostgresSystem, SourcePolicy } from '../policy/model.ts';
import { accessFor, type Duty, kibibytes, repositoryNamed, sourceNamed } from './hands.ts';
import { INCOMPLETE_TAG, sourceTags } from './labels.ts';
import { pointOf } from './point-of.ts';
import { serverUrl } from './server-url.ts';
import type { TaskOutcome } from './task.ts';

/** Takes a snapshot of a source into its repository. */
export async function takeSnapshot(duty: Duty, name: string): Promise<TaskOutcome> {
  const source = sourceNamed(duty.order.policy, name);
  const { system } = source;
  switch (system.kind) {
    case 'files':
      return await saveFiles(duty, source, system);
    case 'postgres':
      return await saveBase(duty, source, system);
  }
}

async function saveFiles(duty: Duty, source: SourcePolicy, system: FilesSystem): Promise<TaskOutcome> {
  const { order, hands, work } = duty;
  const repository = repositoryNamed(order.policy, source.repository);
  const summary = await hands.operations.backupFiles(
    await accessFor(duty, repository),
    {
      paths: system.paths,
      exclude: system.exclude,
      ...(system.oneFileSystem ? { oneFileSystem: true } : {}),
      tag: [sourceTags(order.policy.stack, source.name)],
      incompleteTag: INCOMPLETE_TAG,
      stdinFilename: '',
      compression: 'auto',
      scan: false,
    },
    work,
  );
  const { figures, unreadable } = summary;
  const findings: Finding[] = unreadable.map(({ path, message }) => ({
    severity: 'warning',
    code: 'source.unreadable',
    subject: path,
    message,
  }));
  const added = pointsAdded(repository.name, summary.stored);
  return {
    incomplete: unreadable.length > 0,
    added,
    removed: [],
    result: {
      snapshots: added.map(({ snapshot }) => snapshot),
      bytes: figures.totalBytesProcessed,
      added: figures.dataAddedPacked,
      findings: findings.slice(0, MOST_FINDINGS),
      summary:
        `${formatCounted(figures.totalFilesProcessed, 'file')}, ${formatBytes(figures.totalBytesProcessed)}; ` +
        `${formatBytes(figures.dataAddedPacked)} new in the repository`,
    },
  };
}

async function saveBase(duty: Duty, source: SourcePolicy, system: PostgresSystem): Promise<TaskOutcome> {
  const { order, hands, work } = duty;
  const repository = repositoryNamed(order.policy, source.repository);
  const maxRate = kibibytes(system.maxRate);
  const summary = await hands.operations.backUpBase(
    await accessFor(duty, repository),
    {
      url: await serverUrl(system, hands, work.signal),
      checkpoint: system.checkpoint,
      compression: 'auto',
      evidence: system.evidence,
      tag: [sourceTags(order.policy.stack, source.name)],
      ...(maxRate === undefined ? {} : { maxRate }),
    },
    work,
  );
  const { figures, evidence } = summary;
  const stored = evidence !== undefined && 'stored' in evidence ? [evidence.stored] : [];
  const added = [summary.stored, ...stored].flatMap((each) => pointsAdded(repository.name, each));
  return {
    incomplete: summary.findings.some(({ severity }) => severity === 'error'),
    added,
    removed: [],
    result: {
      snapshots: added.map(({ snapshot }) => snapshot),
      bytes: figures.totalBytesProcessed,
      added: figures.dataAddedPacked,
      findings: [...summary.findings, ...evidenceMissing(evidence)].slice(0, MOST_FINDINGS),
      summary:
        `PostgreSQL ${summary.serverVersion}, ${formatBytes(figures.totalBytesProcessed)}, ` +
        `the server sent ${formatBytes(summary.sentBytes)}; ` +
        `${formatBytes(figures.dataAddedPacked)} new in the repository`,
    },
  };
}

function evidenceMissing(evidence: object | undefined): Finding[] {
  if (evidence === undefined || !('missing' in evidence)) return [];
  const message = `Nothing was counted: ${String(evidence.missing)}`;
  return [{ severity: 'note', code: 'evidence.missing', subject: 'evidence', message }];
}

function pointsAdded(repository: string, stored: StoredSnapshot | undefined): Point[] {
  const point = stored === undefined ? undefined : pointOf(repository, stored);
  return point === undefined ? [] : [point];
}

/** What a run keeps of them: the first tell what is wrong, the rest is in the log. */
const MOST_FINDINGS = 100;
