import { decodeHeader, headerLengthOf, packLengthFor, TRAILER_LENGTH } from '../../format/pack.ts';
import type { PackedBlob } from '../../format/types.ts';
import { Failure } from '../../kernel/failure.ts';
import type { Id } from '../../kernel/id.ts';
import type { Repository } from '../repository.ts';

/**
 * The blobs that a pack itself tells, by offset. Reads only its end: mostly in one piece, in two where a header is long.
 * Throws `repository.damaged` when the header is not what was sealed, or does not make up a file of this size.
 */
export async function readPackHeader(
  repository: Repository,
  pack: { readonly id: Id; readonly size: number },
  signal?: AbortSignal,
): Promise<PackedBlob[]> {
  const { id, size } = pack;
  const load = (length: number) =>
    repository.backend.load({ type: 'pack', name: id }, { offset: size - length, length }, signal);
  if (size <= TRAILER_LENGTH) throw new Failure('repository.damaged', `it has only ${size} bytes`);
  let end = await load(Math.min(size, FIRST_LOOK));
  const length = headerLengthOf(end.subarray(-TRAILER_LENGTH), size);
  if (length + TRAILER_LENGTH > end.length) end = await load(length + TRAILER_LENGTH);
  const sealed = end.subarray(end.length - TRAILER_LENGTH - length, end.length - TRAILER_LENGTH);
  const opened = repository.sealer.tryOpen(sealed);
  if (opened === undefined) {
    throw new Failure('repository.damaged', 'its header does not match its authentication code');
  }
  const blobs = decodeHeader(opened);
  const expected = packLengthFor(blobs);
  if (expected !== size) {
    throw new Failure('repository.damaged', `its header stands for ${expected} bytes, and it has ${size}`);
  }
  return blobs;
}

/** The header of an ordinary pack, some 400 blobs, comes with the first read. */
const FIRST_LOOK = 16 * 1024;
