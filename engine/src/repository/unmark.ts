import { encodeIndexFile } from '../format/index-file.ts';
import { Failure, isFailure } from '../kernel/failure.ts';
import { type Id, shortId } from '../kernel/id.ts';
import { loadIndex } from './index-load/load-index.ts';
import { IndexedRepository } from './indexed-repository.ts';
import { PackContents } from './pack-contents.ts';
import type { Repository } from './repository.ts';
import { findUsedBlobs } from './used-blobs.ts';

/**
 * Sees to it that all that is needed below `roots` may be relied upon: packs that are marked for deletion and that alone
 * have some of it are named in use again. The caller holds a lock and saves the snapshots afterwards, in this order.
 * Answers how many packs lost their mark; throws `repository.blob-missing` when something is gone.
 */
export async function unmarkNeeded(
  repository: Repository,
  roots: readonly Id[],
  signal?: AbortSignal,
): Promise<number> {
  const index = await loadIndex(repository, { signal });
  const marked = new Map(index.marked().map((pack) => [pack.id, pack]));
  index.countMarked();
  const indexed = new IndexedRepository(repository, index);
  const { flags, missing } = await readable(repository, () => findUsedBlobs(indexed, roots, { signal }));
  const [first] = missing;
  if (first !== undefined) throw gone(repository, `${first.type} blob ${shortId(first.id)}`);
  const needed = new Set<Id>();
  for (const [entry, flag] of flags.entries()) {
    if (flag !== 1) continue;
    const packs = index.lookupAll(index.table.typeOf(entry), index.table.idOf(entry)).map(({ pack }) => pack);
    const [place] = packs;
    if (place !== undefined && packs.every((pack) => marked.has(pack))) needed.add(place);
  }
  if (needed.size === 0) return 0;
  const contents = PackContents.of(index);
  for (const id of needed) await assertWhole(repository, id, contents.sizeOf(index.packNumber(id)), signal);
  const packs = [...needed].map((id) => ({ id, blobs: marked.get(id)?.blobs ?? [] }));
  await repository.saveFile('index', encodeIndexFile(packs), signal);
  return packs.length;
}

/** The index may name, as marked, packs that another program has removed. */
async function readable<Result>(repository: Repository, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!isFailure(error, 'backend.not-found') && !isFailure(error, 'backend.short-read')) throw error;
    throw gone(repository, 'a directory listing that it needs', error);
  }
}

/** Its file may have gone before its mark, as when somebody else pruned. */
async function assertWhole(
  repository: Repository,
  id: Id,
  expected: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    const { size } = await repository.backend.stat({ type: 'pack', name: id }, signal);
    if (size === expected) return;
  } catch (error) {
    if (!isFailure(error, 'backend.not-found')) throw error;
  }
  throw gone(repository, `pack ${shortId(id)}`);
}

function gone(repository: Repository, what: string, cause?: unknown): Failure {
  return new Failure('repository.blob-missing', `${what} is not there any more`, {
    subject: repository.backend.location,
    hint: 'a prune has freed its space',
    ...(cause === undefined ? {} : { cause }),
  });
}
