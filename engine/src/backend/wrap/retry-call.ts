import { type BackoffOptions, patience } from './backoff.ts';

/**
 * Tries again what is no call of a backend yet, such as making the place for one, as long as it fails with a failure that
 * says so and there is patience left; rejects with the last failure then. The work must stand being done twice.
 */
export async function retryCall<Result>(
  work: () => Promise<Result>,
  options: BackoffOptions,
  signal?: AbortSignal,
): Promise<Result> {
  const left = patience(options);
  for (;;) {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      const milliseconds = left.afterFailure(error);
      if (milliseconds === undefined) throw error;
      await options.clock.sleep(milliseconds, signal);
    }
  }
}
