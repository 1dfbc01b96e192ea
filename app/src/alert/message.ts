import type { Problem } from './incident.ts';

/** What one channel is told at once, worst first. Complete in itself, so that it can wait in an outbox. */
export interface Message {
  readonly channel: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Only tried out: nothing is wrong. */
  readonly test?: true;
  readonly news: readonly News[];
}

export interface News extends Problem {
  /** Of the incident that it is about. */
  readonly incident: string;
  /** `back`: it was over, and had been told to be. `worse`: told before as less severe. */
  readonly kind: 'opened' | 'back' | 'worse' | 'repeated' | 'resolved';
  /** Of what is resolved: when it was no longer there. */
  readonly until?: number;
}
