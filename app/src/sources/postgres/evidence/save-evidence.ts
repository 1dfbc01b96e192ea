import type { Repository, StoredSnapshot } from '@holdfast/engine';
import { type SaveOptions, saveDocuments } from '../../../snapshot/save-documents.ts';
import { EVIDENCE_FILE, type Evidence } from './evidence.ts';

/** Evidence becomes a snapshot of its own, so that it can be taken after any base, and be kept longer than one. */
export async function saveEvidence(
  repository: Repository,
  evidence: Evidence,
  options: Omit<SaveOptions, 'paths'>,
): Promise<StoredSnapshot> {
  const document = Buffer.from(`${JSON.stringify(evidence, null, 2)}\n`);
  return await saveDocuments(repository, new Map([[EVIDENCE_FILE, document]]), {
    ...options,
    paths: [`/postgres/${evidence.systemId}/evidence`],
  });
}
