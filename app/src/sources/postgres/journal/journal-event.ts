import type { Failure, Finding } from '@holdfast/engine';
import type { HostAddress } from '../connection/server-address.ts';
import type { Lsn } from '../wal/lsn.ts';

/** What a receiver has to tell, in the order in which it happens. */
export type JournalEvent =
  | { readonly kind: 'streaming'; readonly host: HostAddress; readonly timeline: number; readonly from: Lsn }
  /** More is durable and was acknowledged. */
  | { readonly kind: 'flushed'; readonly progress: JournalProgress }
  /** A segment, or a timeline's history, lies whole in the spool. */
  | { readonly kind: 'file'; readonly name: string }
  | { readonly kind: 'timeline'; readonly from: number; readonly to: number; readonly at: Lsn }
  /** The stream broke off; it is tried again after so many milliseconds. */
  | { readonly kind: 'interrupted'; readonly failure: Failure; readonly retryIn: number }
  /** The WAL from `from` to `to` is lost: a recovery window ends at `from`, and a new base is needed. */
  | { readonly kind: 'gap'; readonly from: Lsn; readonly to: Lsn; readonly finding: Finding }
  /** Something that somebody should look at before it becomes a gap. */
  | { readonly kind: 'finding'; readonly finding: Finding };

export interface JournalProgress {
  readonly timeline: number;
  /** Everything before it is durable in the spool. */
  readonly flushed: Lsn;
  /** How far the server's own WAL is, as it said last. */
  readonly serverEnd: Lsn;
  /** From the server's sending to our acknowledging, of the oldest bytes in the last batch; by both hosts' clocks. */
  readonly lagMilliseconds: number;
}
