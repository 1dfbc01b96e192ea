import type { MasterKey } from '../../format/types.ts';
import type { SharedBlobTable } from '../blob-table.ts';
import type { Piece } from './pieces.ts';

export interface IndexWorkerBirth {
  readonly key: MasterKey;
}

/** What an index worker can be asked for; each has one answer, under its ticket. */
export type IndexTask =
  /** Opens and scans an index file, and keeps its blobs until they are added. */
  | { readonly kind: 'scan'; readonly name: string; readonly sealed: Uint8Array<ArrayBuffer> }
  /** Adds the blobs of the scan with that ticket to the table, now that their packs have numbers. */
  | { readonly kind: 'add'; readonly scan: number; readonly numbers: Uint32Array }
  /** Writes a piece of the table, sealed, to its position in an open file. */
  | { readonly kind: 'save'; readonly descriptor: number; readonly piece: Piece }
  /** The other way round; the piece must be the one that was sealed with `mac`. */
  | {
      readonly kind: 'restore';
      readonly descriptor: number;
      readonly piece: Piece;
      readonly mac: Uint8Array;
    };

export type ToIndexWorker =
  | { readonly kind: 'attach'; readonly table: SharedBlobTable }
  | (IndexTask & { readonly ticket: number });

export interface IndexAnswers {
  /** Undefined for a file that is damaged or unusual: somebody else has to find out. */
  readonly scan: ScannedFile | undefined;
  /** Further places of blobs that are in the table already: entry, number of the pack, offset, length, uncompressed length. */
  readonly add: Uint32Array<ArrayBuffer>;
  /** The MAC of the sealed piece. */
  readonly save: Uint8Array;
  readonly restore: boolean;
}

export interface ScannedFile {
  readonly packs: Uint8Array<ArrayBuffer>;
  readonly marks: Uint8Array<ArrayBuffer> | undefined;
  readonly blobs: number;
}

export interface FromIndexWorker {
  readonly ticket: number;
  readonly answer: IndexAnswers[IndexTask['kind']];
}
