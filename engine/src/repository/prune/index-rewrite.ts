import { decodeIndexFile, encodeIndexFile, MOST_INDEXED_BLOBS } from '../../format/index-file.ts';
import type { IndexedPack } from '../../format/types.ts';
import type { Id } from '../../kernel/id.ts';
import type { Repository } from '../repository.ts';

/**
 * Saves what stays of the index files that name packs which go, and answers which files that makes superfluous. They
 * are not removed here: until the caller does, both say the same about every pack that stays.
 *
 * Files are read one after the other and only those are written anew that must be, so that ten million blobs neither
 * fill the memory nor are uploaded again. A mark goes away in any case: the pack is needed, or goes itself.
 */
export async function rewriteIndex(
  repository: Repository,
  names: Iterable<string>,
  goes: (pack: Id) => boolean,
  signal: AbortSignal,
): Promise<string[]> {
  const superfluous: string[] = [];
  let kept: IndexedPack[] = [];
  let blobs = 0;
  const save = async () => {
    if (kept.length > 0) await repository.saveFile('index', encodeIndexFile(kept), signal);
    kept = [];
    blobs = 0;
  };
  for (const name of names) {
    const file = decodeIndexFile(await repository.loadFile({ type: 'index', name }, signal));
    const unmarked = file.packsToDelete.filter(({ id }) => !goes(id)).map(({ id, blobs }) => ({ id, blobs }));
    const changes = file.packsToDelete.length > 0 || file.packs.some(({ id }) => goes(id));
    if (!changes) continue;
    for (const pack of [...file.packs.filter(({ id }) => !goes(id)), ...unmarked]) {
      kept.push(pack);
      blobs += pack.blobs.length;
      if (blobs >= MOST_INDEXED_BLOBS) await save();
    }
    superfluous.push(name);
  }
  await save();
  return superfluous;
}
