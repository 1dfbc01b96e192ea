import { open } from 'node:fs/promises';
import type { ByteRange } from '../backend.ts';

/**
 * Reads a range, or the whole file, into one allocation of its own. Fewer bytes than asked for come back only when
 * the file ends there; the caller decides what that means. Rejects with the system's own errors.
 */
export async function readRange(
  path: string,
  range: ByteRange | undefined,
  signal?: AbortSignal,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; range: ByteRange }> {
  await using file = await open(path, 'r');
  const { offset, length } = range ?? { offset: 0, length: (await file.stat()).size };
  // Not zeroed first, and not from Node's pool: the bytes own their memory, so a worker can take it without a copy.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  let filled = 0;
  while (filled < length) {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return { bytes: bytes.subarray(0, filled), range: { offset, length } };
}
