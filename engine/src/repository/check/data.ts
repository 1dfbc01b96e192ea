import { availableParallelism } from 'node:os';
import { mapConcurrently } from '../../kernel/concurrency.ts';
import { shortId } from '../../kernel/id.ts';
import type { IndexedRepository } from '../indexed-repository.ts';
import type { PackContents } from '../pack-contents.ts';
import { damageOf } from './damage.ts';
import { type Ledger, PACK_HINT } from './ledger.ts';
import type { PackVerdict } from './pack-verification.ts';
import type { PresentPack } from './packs.ts';
import type { CheckOptions } from './report.ts';
import { VerifyCrew } from './verify-crew.ts';

export interface DataRead {
  readonly packs: number;
  readonly bytes: number;
}

/**
 * Reads and verifies packs, one more at a time than there are threads or as many as there are connections, and tells how
 * much could be read.
 */
export async function checkData(
  indexed: IndexedRepository,
  contents: PackContents,
  packs: readonly PresentPack[],
  ledger: Ledger,
  options: Pick<CheckOptions, 'threads' | 'onProgress'> & { readonly signal: AbortSignal },
): Promise<DataRead> {
  if (packs.length === 0) return { packs: 0, bytes: 0 };
  const { backend, key } = indexed.repository;
  const threads = Math.min(options.threads ?? availableParallelism(), packs.length);
  const total = packs.reduce((sum, { size }) => sum + size, 0);
  const read = { packs: 0, bytes: 0 };
  await using crew = new VerifyCrew(threads, {
    key,
    table: indexed.index.table.shared,
    contents: contents.shared,
  });
  await mapConcurrently(packs, Math.max(threads + 1, backend.connections), async (pack) => {
    options.signal.throwIfAborted();
    const { number, id } = pack;
    try {
      const bytes = await backend.load({ type: 'pack', name: id }, undefined, options.signal);
      const { length } = bytes;
      reportVerdict(ledger, pack, await crew.verify(number, id, bytes));
      read.packs += 1;
      read.bytes += length;
    } catch (error) {
      ledger.addForPack(id, contents.blobsOf(number), {
        severity: 'error',
        code: 'pack.unreadable',
        subject: `pack ${shortId(id)}`,
        message: `The pack ${id} cannot be read: ${damageOf(error).message}`,
        hint: PACK_HINT,
      });
    }
    options.onProgress?.({ phase: 'data', done: read.bytes, total });
  });
  return read;
}

function reportVerdict(ledger: Ledger, { id }: PresentPack, verdict: PackVerdict): void {
  for (const { blob, why } of verdict.damaged) ledger.damaged(id, blob, why);
  const subject = `pack ${shortId(id)}`;
  if (verdict.header !== undefined) {
    ledger.add({
      severity: 'error',
      code: 'pack.header-damaged',
      subject,
      message: `The pack ${id} does not agree with the index: ${verdict.header}.`,
      hint: `Its blobs are read by the index, so what it names can be restored. ${PACK_HINT}`,
    });
  } else if (verdict.renamed && verdict.damaged.length === 0) {
    ledger.add({
      severity: 'error',
      code: 'pack.changed',
      subject,
      message: `The content of the pack ${id} is not the one that its name stands for.`,
      hint: PACK_HINT,
    });
  }
}
