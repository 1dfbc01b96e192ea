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
  const fellSilent = () =>
    body.destroy(new Failure('backend.unreachable', 'The server fell silent in the middle of an answer.'));
  const timer = setTimeout(fellSilent, silence).unref();
  const abort = () => body.destroy(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
  signal?.addEventListener('abort', abort, { once: true });
  try {
    for await (const chunk of body) {
      timer.refresh();
      const from = Math.min(left, chunk.length);
      left -= from;
      const part = chunk.subarray(from, from + length - filled);
      bytes.set(part, filled);
      filled += part.length;
      // Only a server that sends more than it was asked for is cut off: a body that ends leaves its connection usable.
      if (from + part.length < chunk.length) break;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
  return filled === length ? bytes : bytes.slice(0, filled);
}
