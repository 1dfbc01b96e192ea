import { Failure } from '../../kernel/failure.ts';

export interface BodyStream extends AsyncIterable<Uint8Array> {
  destroy(error?: Error): unknown;
}

/**
 * Collects what a response brings into memory of its own: `skip` bytes are left out, then at most `length` are taken.
 * Answers fewer only when the body ends before. A body that is silent for so many milliseconds is given up:
 * `backend.unreachable`.
 */
export async function collect(
  body: BodyStream,
  { skip, length, silence }: { readonly skip: number; readonly length: number; readonly silence: number },
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  let left = skip;
  for await (const chunk of watched(body, silence, signal)) {
    const from = Math.min(left, chunk.length);
    left -= from;
    const part = chunk.subarray(from, from + length - filled);
    bytes.set(part, filled);
    filled += part.length;
    // Only a server that sends more than it was asked for is cut off: a body that ends leaves its connection usable.
    if (from + part.length < chunk.length) break;
  }
  return filled === length ? bytes : bytes.slice(0, filled);
}

/** Collects a text of unknown length; one that is larger than `most` bytes is given up: `backend.io`. */
export async function collectText(
  body: BodyStream,
  { most, silence }: { readonly most: number; readonly silence: number },
  signal: AbortSignal | undefined,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of watched(body, silence, signal)) {
    length += chunk.length;
    if (length > most) throw new Failure('backend.io', `The server’s answer is larger than ${most} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length).toString();
}

/** The chunks as they come, as long as they come and nobody aborts. */
async function* watched(
  body: BodyStream,
  silence: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const fellSilent = () =>
    body.destroy(new Failure('backend.unreachable', 'The server fell silent in the middle of an answer.'));
  const timer = setTimeout(fellSilent, silence).unref();
  const abort = () => body.destroy(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
  signal?.addEventListener('abort', abort, { once: true });
  try {
    for await (const chunk of body) {
      timer.refresh();
      yield chunk;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}
