import type { BlobType } from '../../format/types.ts';
import type { Id } from '../../kernel/id.ts';
import type { RecordAge } from '../forgotten/expiry.ts';

/** Bytes as they are stored, seals included. */
export interface Amount {
  readonly blobs: number;
  readonly bytes: number;
}

/** What snapshots need of one pack. `used`, `unused` and `duplicate` together are its blobs. */
export interface PackUsage {
  readonly id: Id;
  readonly type: BlobType | 'mixed';
  /** Of the file, in bytes: more than that of its blobs, by the header. */
  readonly size: number;
  readonly used: Amount;
  readonly unused: Amount;
  /** Needed, but another pack has them as well and was chosen to keep them. */
  readonly duplicate: Amount;
  /** Some of its blobs are not compressed. */
  readonly uncompressed: boolean;
  /** When it was marked for deletion, in milliseconds since the epoch; undefined when it is not. */
  readonly markedAt: number | undefined;
}

/** All that a plan is decided by. */
export interface PruneFacts {
  readonly packs: readonly PackUsage[];
  /** Files that no index file names. */
  readonly unreferenced: readonly { readonly id: Id; readonly size: number }[];
  /** Packs that the index names, that are not there, and that nobody needs. */
  readonly gone: readonly Id[];
  /** Small index files that are worth being joined. */
  readonly indexFiles: number;
  /** Of what was forgotten. */
  readonly records: readonly RecordAge[];
}
