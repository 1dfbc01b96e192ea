import type { Backend, FileType, ListedFile } from '../backend.ts';
import type { Call } from './call.ts';

export interface Count {
  readonly calls: number;
  /** Those of the calls that rejected. */
  readonly failures: number;
  /** Of calls that succeeded: saved or loaded. 0 for the other calls. */
  readonly bytes: number;
}

export type Reading = Readonly<Record<Call, Readonly<Record<FileType, Count>>>>;

export interface MeteredBackend extends Backend {
  /** What was counted so far, as a copy. */
  reading(): Reading;
}

type Counts = Record<Call, Record<FileType, { calls: number; failures: number; bytes: number }>>;

/** Counts calls and bytes, by call and by type of file. */
export function meter(inner: Backend): MeteredBackend {
  const counts = noCounts();

  async function counted<T>(
    call: Call,
    type: FileType,
    run: Promise<T>,
    bytes: (result: T) => number,
  ): Promise<T> {
    const count = counts[call][type];
    count.calls += 1;
    try {
      const result = await run;
      count.bytes += bytes(result);
      return result;
    } catch (error) {
      count.failures += 1;
      throw error;
    }
  }

  return {
    ...inner,
    reading: () => structuredClone(counts),

    save: (handle, data, signal) =>
      counted('save', handle.type, inner.save(handle, data, signal), () => data.length),
    load: (handle, range, signal) =>
      counted('load', handle.type, inner.load(handle, range, signal), (bytes) => bytes.length),
    stat: (handle, signal) => counted('stat', handle.type, inner.stat(handle, signal), () => 0),
    remove: (handle, signal) => counted('remove', handle.type, inner.remove(handle, signal), () => 0),

    async *list(type: FileType, signal?: AbortSignal): AsyncGenerator<ListedFile> {
      const count = counts.list[type];
      count.calls += 1;
      try {
        yield* inner.list(type, signal);
      } catch (error) {
        count.failures += 1;
        throw error;
      }
    },
  };
}

function noCounts(): Counts {
  const none = () => ({ calls: 0, failures: 0, bytes: 0 });
  const types = () => ({
    config: none(),
    key: none(),
    lock: none(),
    snapshot: none(),
    index: none(),
    pack: none(),
  });
  return { save: types(), load: types(), stat: types(), list: types(), remove: types() };
}
