/**
 * The signal for what is still done when work is over or was given up: giving a lock back, indexing what is durable.
 * The caller's own signal would forbid that; none at all would wait for ever on a place that does not answer. So it
 * aborts a minute from now, or 3 seconds after the caller's signal did.
 *
 * Real time, not a clock's: it guards against the outside world and decides nothing.
 */
export function lastCall(given: AbortSignal | undefined): AbortSignal {
  if (given?.aborted) return AbortSignal.timeout(AFTER_ABORT_MS);
  const limit = AbortSignal.timeout(LONGEST_MS);
  if (given === undefined) return limit;
  const hurried = new AbortController();
  given.addEventListener(
    'abort',
    () => setTimeout(() => hurried.abort(given.reason), AFTER_ABORT_MS).unref(),
    { once: true },
  );
  return AbortSignal.any([limit, hurried.signal]);
}

const LONGEST_MS = 60_000;
const AFTER_ABORT_MS = 3_000;
