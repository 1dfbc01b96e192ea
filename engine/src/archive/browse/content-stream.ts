import type { Id } from '../../kernel/id.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';

/** A piece of a stream that is being put together: bytes as they are, or a data blob that is yet to be fetched. */
export type StreamPiece = Uint8Array | { readonly blob: Id };

/** What is fetched ahead of the reader: bounded in bytes too, since a blob can be 8 MiB. */
const BYTES_AHEAD = 32 * 1024 * 1024;

/**
 * The bytes of all pieces, in order. Blobs are fetched some at a time, ahead of the reader; while nobody reads, nothing
 * more is fetched. Throws where a blob cannot be had: the stream must not be taken for whole then.
 */
export async function* fetchPieces(
  indexed: IndexedRepository,
  pieces: Iterable<StreamPiece> | AsyncIterable<StreamPiece>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const ahead: { size: number; bytes: Promise<Uint8Array> | Uint8Array }[] = [];
  const limit = indexed.repository.backend.connections;
  let held = 0;
  for await (const piece of pieces) {
    const size = 'blob' in piece ? (indexed.index.lengthOf('data', piece.blob) ?? 0) : piece.length;
    while (ahead.length > 0 && (ahead.length >= limit || held + size > BYTES_AHEAD)) {
      const first = ahead.shift();
      if (first === undefined) break;
      held -= first.size;
      yield await first.bytes;
    }
    ahead.push({ size, bytes: 'blob' in piece ? fetchBlob(indexed, piece.blob, signal) : piece });
    held += size;
  }
  for (const { bytes } of ahead) yield await bytes;
}

function fetchBlob(indexed: IndexedRepository, id: Id, signal?: AbortSignal): Promise<Uint8Array> {
  const fetching = indexed.loadBlob('data', id, signal);
  // Whoever stops reading leaves some behind, and nobody is to hear of their failures.
  fetching.catch(() => undefined);
  return fetching;
}
