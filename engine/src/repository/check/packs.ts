import type { Failure } from '../../kernel/failure.ts';
import { type Id, shortId } from '../../kernel/id.ts';
import type { Index } from '../index.ts';
import { loadReadableIndex } from '../index-load/load-index.ts';
import type { PackContents } from '../pack-contents.ts';
import { listPacks } from '../pack-list.ts';
import type { Repository } from '../repository.ts';
import { damageOf } from './damage.ts';
import { type Ledger, PACK_HINT } from './ledger.ts';

/** A pack that the index names and that is there. */
export interface PresentPack {
  /** In the index. */
  readonly number: number;
  readonly id: Id;
  /** In bytes, as listed. */
  readonly size: number;
}

export async function checkIndex(
  repository: Repository,
  ledger: Ledger,
  signal?: AbortSignal,
): Promise<Index> {
  const report = (name: string, failure: Failure) => {
    ledger.add({
      severity: 'error',
      code: 'index.damaged',
      subject: `index ${name.slice(0, 8)}`,
      message: `The index file ${name} cannot be read: ${damageOf(failure).message}`,
      hint: 'The packs that it named may be whole: holdfast repo repair index makes the index anew from them.',
    });
  };
  return await loadReadableIndex(repository, report, signal);
}

/** Holds the packs that are there against the index. */
export async function checkPacks(
  repository: Repository,
  index: Index,
  contents: PackContents,
  ledger: Ledger,
  signal?: AbortSignal,
): Promise<PresentPack[]> {
  const sizes = await listPacks(repository, signal);
  const present: PresentPack[] = [];
  for (const [number, id] of index.packs.entries()) {
    const size = sizes.get(id);
    sizes.delete(id);
    if (size === undefined) {
      reportMissing(ledger, id, number, contents);
      continue;
    }
    present.push({ number, id, size });
    if (size !== contents.sizeOf(number)) reportSize(ledger, { number, id, size }, contents);
  }
  reportStrangers(ledger, index, sizes);
  return present;
}

/**
 * An error even while no snapshot needs the pack: the next backup would trust the index, not store such blobs again,
 * and end with a snapshot that cannot be restored.
 */
function reportMissing(ledger: Ledger, id: Id, number: number, contents: PackContents): void {
  const blobs = contents.blobsOf(number);
  ledger.addForPack(id, blobs, {
    severity: 'error',
    code: 'index.pack-missing',
    subject: `pack ${shortId(id)}`,
    message: `The index names the pack ${id} with ${blobs.length} blobs, but there is no such file.`,
    hint: `${PACK_HINT} Without any, holdfast repo repair index takes it out of the index.`,
  });
}

function reportSize(ledger: Ledger, pack: PresentPack, contents: PackContents): void {
  const expected = contents.sizeOf(pack.number);
  const cutOff = contents.blobsOf(pack.number).filter(({ offset, length }) => offset + length > pack.size);
  ledger.addForPack(pack.id, cutOff, {
    severity: 'error',
    code: 'pack.wrong-size',
    subject: `pack ${shortId(pack.id)}`,
    message: `The pack ${pack.id} has ${pack.size} bytes where the index says ${expected}.`,
    hint: PACK_HINT,
  });
}

/** Packs that no index file names. `sizes` are those that are left over. */
function reportStrangers(ledger: Ledger, index: Index, sizes: Map<Id, number>): void {
  let marked = 0;
  for (const { id } of index.marked()) if (sizes.delete(id)) marked += 1;
  if (marked > 0) {
    ledger.add({
      severity: 'note',
      code: 'pack.marked',
      subject: `${marked} packs`,
      message: `${marked} packs are marked for deletion.`,
      hint: 'A holdfast repo prune that comes late enough removes them.',
    });
  }
  if (sizes.size === 0) return;
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  ledger.add({
    severity: 'note',
    code: 'pack.unindexed',
    subject: `${sizes.size} packs`,
    message: `${sizes.size} packs (${bytes} bytes) are in no index file: left behind by an interrupted run, or just being written.`,
    hint: 'holdfast repo prune removes what is left behind.',
  });
}
