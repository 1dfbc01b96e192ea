const LONGEST_WAIT = 6 * 3_600_000;

/**
 * How long to wait after the `attempt`th failure (from 1 on) before the next try, in milliseconds: twice as long each
 * time, never longer than six hours. Undefined when `limit` retries have been made.
 */
export function backoff(
  attempt: number,
  { limit, delay }: { readonly limit: number; readonly delay: number },
): number | undefined {
  if (attempt > limit) return undefined;
  return Math.max(delay, Math.min(LONGEST_WAIT, delay * 2 ** (attempt - 1)));
}
