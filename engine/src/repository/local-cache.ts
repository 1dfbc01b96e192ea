import type { Clock } from '../kernel/clock.ts';

/** Where this machine keeps what it has made of repositories' files, for the next time. */
export interface LocalCache {
  /** The user's, with the caches of all repositories in it. */
  readonly directory: string;
  readonly clock: Clock;
}
