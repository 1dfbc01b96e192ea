import { createHash } from 'node:crypto';
import type { Handle } from '@holdfast/engine';
import { Refusal } from './refusal.ts';

/**
 * The pieces of an upload as they arrive. At its end it throws unless the bytes are what the name says, so that
 * whoever writes them never gives them that name. The config alone is not named by its content. `take` hears of each
 * piece before it is passed on, and throws when there is no room for it.
 */
export async function* checkedUpload(
  pieces: AsyncIterable<Uint8Array>,
  handle: Handle,
  take: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > LARGEST_FILE) throw new Refusal(TOO_LARGE, 'No file of a repository is so large.');
    take(piece.length);
    hash.update(piece);
    yield piece;
  }
  if (handle.type !== 'config' && hash.digest('hex') !== handle.name) {
    throw new Refusal(BAD_REQUEST, 'The content is not what its name says.');
  }
}

const LARGEST_FILE = 1 << 30;
const TOO_LARGE = 413;
const BAD_REQUEST = 400;
