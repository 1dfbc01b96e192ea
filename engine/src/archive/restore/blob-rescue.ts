import { isFailure } from '../../kernel/failure.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { wordsOf } from './problem.ts';
import { type Task, USE_WORDS, type Uses } from './protocol.ts';

/** What a rescue needs of an indexed repository. */
export type BlobSource = Pick<IndexedRepository, 'loadBlob' | 'index'>;

/**
 * A task that brings blobs which could not be had from their pack, or gives them up. `uses` are of one blob. The blob is
 * read once more, since the way here may have spoilt it, and from other packs if it is stored more than once.
 */
export async function rescueBlob(
  source: BlobSource,
  uses: Uses,
  reason: string,
  signal?: AbortSignal,
): Promise<Task> {
  const id = source.index.table.idOf(uses[0] as number);
  try {
    const found = await source.loadBlob('data', id, signal);
    return { kind: 'plain', bytes: new Uint8Array(found), uses };
  } catch (error) {
    if (!isFailure(error) || error.code === 'interrupted' || error.code === 'backend.unreachable')
      throw error;
    return { kind: 'give-up', reason: `${reason} (${wordsOf(error)})`, uses };
  }
}

/** Splits the uses of a pack into those of each blob. */
export function* eachBlob(uses: Uses): Iterable<Uses> {
  for (let from = 0; from < uses.length; ) {
    let to = from + USE_WORDS;
    while (to < uses.length && uses[to] === uses[from]) to += USE_WORDS;
    yield uses.slice(from, to);
    from = to;
  }
}
