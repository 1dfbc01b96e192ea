import { Failure } from '../../kernel/failure.ts';
import { SILENCE_MS } from './limits.ts';

export interface BodyStream extends AsyncIterable<Uint8Array> {
  destroy(error?: Error): unknown;
}

/**
 * Collects what a response brings into memory of its own: `skip` bytes are left out, then at most `length` are taken.
 * Answers fewer only when the body ends before. A body that is silent for too long is given up: `backend.unreachable`.
 */
export async function collect(
  body: BodyStream,
  { skip, length }: { readonly skip: number; readonly length: number },
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  let left = skip;
  const silence = silenceTimer(() => body.destroy(fellSilent()));
  const abort = () => body.destroy(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
  signal?.addEventListener('abort', abort, { once: true });
  try {
    for await (const chunk of body) {
      silence.refresh();
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
    clearTimeout(silence);
    signal?.removeEventListener('abort', abort);
  }
  return filled === length ? bytes : bytes.slice(0, filled);
}

/** Collects a text of unknown length; one that is larger than `most` bytes is given up: `backend.io`. */
export async function collectText(
  body: BodyStream,
  most: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const silence = silenceTimer(() => body.destroy(fellSilent()));
  try {
    for await (const chunk of body) {
      signal?.throwIfAborted();
      silence.refresh();
      length += chunk.length;
      if (length > most) {
        throw new Failure('backend.io', `The server’s answer is larger than ${most} bytes.`);
      }
      chunks.push(chunk);
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(silence);
  }
  return Buffer.concat(chunks, length).toString();
}

function fellSilent(): Failure {
  return new Failure('backend.unreachable', 'The server fell silent in the middle of an answer.');
}

function silenceTimer(give: () => void): NodeJS.Timeout {
  return setTimeout(give, SILENCE_MS).unref();
}
