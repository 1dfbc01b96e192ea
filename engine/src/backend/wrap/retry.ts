import { isFailure } from '../../kernel/failure.ts';
import { sha256Id } from '../../kernel/hash.ts';
import type { Backend, FileType, Handle, ListedFile } from '../backend.ts';
import { describeHandle } from '../handle.ts';
import { type BackoffOptions, type Patience, patience } from './backoff.ts';
import type { Call } from './call.ts';

export interface RetryNotice {
  readonly call: Call;
  /** `pack 1a2b3c4d`; for a list the type. */
  readonly subject: string;
  readonly failure: unknown;
  /** 1 for the first. */
  readonly failures: number;
  /** Milliseconds until the next try. */
  readonly wait: number;
}

export interface RetryOptions extends BackoffOptions {
  /** Told before each wait, so that somebody can say why nothing moves. */
  readonly notify?: (notice: RetryNotice) => void;
  /**
   * Milliseconds of patience before the first call has come through, where that is less than `totalTime`: a place that
   * never answered has a wrong address more often than a bad moment.
   */
  readonly firstContact?: number;
}

/**
 * Tries again what failed with a failure that says so (`Failure.retry`), for a limited time; then rejects with the
 * last failure. A call may have done its work and failed on the way back, so from the second try on, a save that
 * finds its own bytes there and a remove that finds nothing have succeeded. A list goes on after the files that it
 * has named, and names none twice.
 */
export function retry(inner: Backend, options: RetryOptions): Backend {
  let reached = false;
  const { firstContact } = options;
  const newPatience = () =>
    patience(reached || firstContact === undefined ? options : { ...options, totalTime: firstContact });

  async function wait(
    left: Patience,
    error: unknown,
    call: Call,
    subject: string,
    signal?: AbortSignal,
  ): Promise<void> {
    signal?.throwIfAborted();
    const milliseconds = left.afterFailure(error);
    if (milliseconds === undefined) throw error;
    options.notify?.({ call, subject, failure: error, failures: left.failures, wait: milliseconds });
    await options.clock.sleep(milliseconds, signal);
  }

  async function persist<T>(
    call: Call,
    handle: Handle,
    signal: AbortSignal | undefined,
    attempt: (again: boolean) => Promise<T>,
  ): Promise<T> {
    const left = newPatience();
    for (;;) {
      try {
        const result = await attempt(left.failures > 0);
        reached = true;
        return result;
      } catch (error) {
        // An answer, whatever it says, came from there.
        reached ||= isFailure(error) && !error.retry;
        await wait(left, error, call, describeHandle(handle), signal);
      }
    }
  }

  const load: Backend['load'] = (handle, range, signal) =>
    persist('load', handle, signal, () => inner.load(handle, range, signal));

  const stat: Backend['stat'] = (handle, signal) =>
    persist('stat', handle, signal, () => inner.stat(handle, signal));

  /** Same size and named by its hash, or the same bytes. */
  async function isThere(handle: Handle, data: Uint8Array, signal?: AbortSignal): Promise<boolean> {
    if ((await stat(handle, signal)).size !== data.length) return false;
    if (sha256Id(data) === handle.name) return true;
    return Buffer.compare(await load(handle, undefined, signal), data) === 0;
  }

  return {
    ...inner,
    load,
    stat,

    save: (handle, data, signal) =>
      persist('save', handle, signal, async (again) => {
        try {
          await inner.save(handle, data, signal);
        } catch (error) {
          if (again && isFailure(error, 'backend.exists') && (await isThere(handle, data, signal))) return;
          throw error;
        }
      }),

    remove: (handle, signal) =>
      persist('remove', handle, signal, async (again) => {
        try {
          await inner.remove(handle, signal);
        } catch (error) {
          if (again && isFailure(error, 'backend.not-found')) return;
          throw error;
        }
      }),

    async *list(type: FileType, signal?: AbortSignal): AsyncGenerator<ListedFile> {
      const left = newPatience();
      const named = new Set<string>();
      for (;;) {
        try {
          // A generator ends when its consumer throws or leaves, so only the inner list's failures are caught here.
          for await (const file of inner.list(type, signal)) {
            if (named.has(file.name)) continue;
            named.add(file.name);
            left.progress();
            reached = true;
            yield file;
          }
          return;
        } catch (error) {
          await wait(left, error, 'list', type, signal);
        }
      }
    },
  };
}
