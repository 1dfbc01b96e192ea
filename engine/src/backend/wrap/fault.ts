import { Failure, type FailureCode } from '../../kernel/failure.ts';
import type { Backend, FileType, ListedFile } from '../backend.ts';
import type { Call } from './call.ts';

/** Which calls a fault befalls: from the `nth` (1, the default, is the first) that fits, `times` in a row (1). */
interface When {
  readonly type?: FileType;
  readonly nth?: number;
  readonly times?: number;
}

/**
 * A fault, as data:
 * - `fail`: rejects with `code` (default `backend.io`) without doing anything; a list first names `after` files
 * - `hang`: does nothing until the signal aborts, for ever without one
 * - `succeed-then-fail`: does it, then rejects with `code`: the answer was lost
 * - `tear`: saves the first half under the final name, then rejects: a place that breaks its promise
 * - `cut`: resolves with the first half of the bytes: a place that breaks its promise
 */
export type Fault = When &
  (
    | { readonly call: Call; readonly does: 'fail'; readonly code?: FailureCode; readonly after?: number }
    | { readonly call: Call; readonly does: 'hang' }
    | { readonly call: 'save' | 'remove'; readonly does: 'succeed-then-fail'; readonly code?: FailureCode }
    | { readonly call: 'save'; readonly does: 'tear'; readonly code?: FailureCode }
    | { readonly call: 'load'; readonly does: 'cut' }
  );

/** For tests: befalls calls with faults as scripted. Of several faults that fit a call, the first is taken. */
export function fault(inner: Backend, faults: readonly Fault[]): Backend {
  const seen = new Map<Fault, number>();

  function strike(call: Call, type: FileType): Fault | undefined {
    let struck: Fault | undefined;
    for (const fault of faults) {
      if (fault.call !== call || (fault.type ?? type) !== type) continue;
      const count = (seen.get(fault) ?? 0) + 1;
      seen.set(fault, count);
      const first = fault.nth ?? 1;
      if (count >= first && count < first + (fault.times ?? 1)) struck ??= fault;
    }
    return struck;
  }

  /** What happens before a call; returns the fault when there is one left to happen later. */
  async function befall(call: Call, type: FileType, signal?: AbortSignal): Promise<Fault | undefined> {
    const struck = strike(call, type);
    if (struck?.does === 'hang') await untilAborted(signal);
    if (struck?.does === 'fail' && call !== 'list') throw failureOf(struck);
    return struck;
  }

  return {
    ...inner,

    async save(handle, data, signal) {
      const struck = await befall('save', handle.type, signal);
      await inner.save(handle, struck?.does === 'tear' ? firstHalf(data) : data, signal);
      if (struck !== undefined) throw failureOf(struck);
    },

    async load(handle, range, signal) {
      const struck = await befall('load', handle.type, signal);
      const bytes = await inner.load(handle, range, signal);
      return struck?.does === 'cut' ? firstHalf(bytes) : bytes;
    },

    async stat(handle, signal) {
      await befall('stat', handle.type, signal);
      return inner.stat(handle, signal);
    },

    async remove(handle, signal) {
      const struck = await befall('remove', handle.type, signal);
      await inner.remove(handle, signal);
      if (struck !== undefined) throw failureOf(struck);
    },

    async *list(type: FileType, signal?: AbortSignal): AsyncGenerator<ListedFile> {
      const struck = await befall('list', type, signal);
      let left = struck?.does === 'fail' ? (struck.after ?? 0) : Number.POSITIVE_INFINITY;
      for await (const file of inner.list(type, signal)) {
        if (left-- <= 0) break;
        yield file;
      }
      if (struck !== undefined) throw failureOf(struck);
    },
  };
}

function failureOf(fault: Fault): Failure {
  const code = ('code' in fault ? fault.code : undefined) ?? 'backend.io';
  return new Failure(code, `A fault was scripted: ${fault.call} ${fault.does}.`);
}

function firstHalf<T extends Uint8Array>(bytes: T): T {
  return bytes.subarray(0, bytes.length >> 1) as T;
}

function untilAborted(signal?: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) reject(signal.reason);
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
