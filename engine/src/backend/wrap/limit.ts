import type { Clock } from '../../kernel/clock.ts';
import type { Backend } from '../backend.ts';
import { pace, type Rate } from './pace.ts';
import { semaphore } from './semaphore.ts';

export interface LimitOptions {
  readonly clock: Clock;
  /** Bytes per second that saves may take together; absent: unlimited. */
  readonly upload?: Rate;
  /** Bytes per second that loads may take together; absent: unlimited. */
  readonly download?: Rate;
  /** Calls per second of whatever kind; absent: unlimited. Some places charge for each. */
  readonly requests?: Rate;
  /** Calls at once; absent: as the backend says of itself. */
  readonly connections?: number;
}

/**
 * Keeps within rates and a number of calls at once. A call waits for its turn at the rates first, and only then for a
 * connection, so that a long wait holds no connection that a small call could use. A list takes no connection: its
 * consumer may well load what it names.
 *
 * Only packs wait for the rate of saves; what is small goes at once, and the packs behind it wait for it. Locks must be
 * kept alive, and when a backup is interrupted an index file must name what is durable while the line is still taken for
 * packs that never went.
 */
export function limit(inner: Backend, options: LimitOptions): Backend {
  const { clock } = options;
  const connections = options.connections ?? inner.connections;
  const calls = semaphore(connections);
  const upload = options.upload === undefined ? undefined : pace(options.upload, clock);
  const requests = options.requests === undefined ? undefined : pace(options.requests, clock);
  const download = options.download === undefined ? undefined : pace(options.download, clock);

  return {
    ...inner,
    connections,

    async save(handle, data, signal) {
      signal?.throwIfAborted();
      await requests?.turn(1, signal);
      if (handle.type === 'pack') await upload?.turn(data.length, signal);
      else upload?.charge(data.length);
      await calls.run(() => inner.save(handle, data, signal), signal);
    },

    async load(handle, range, signal) {
      signal?.throwIfAborted();
      await requests?.turn(1, signal);
      await download?.turn(range?.length ?? 0, signal);
      const bytes = await calls.run(() => inner.load(handle, range, signal), signal);
      if (range === undefined) download?.charge(bytes.length);
      return bytes;
    },

    async stat(handle, signal) {
      await requests?.turn(1, signal);
      return await calls.run(() => inner.stat(handle, signal), signal);
    },

    async remove(handle, signal) {
      await requests?.turn(1, signal);
      await calls.run(() => inner.remove(handle, signal), signal);
    },

    async *list(type, signal) {
      await requests?.turn(1, signal);
      yield* inner.list(type, signal);
    },
  };
}
