import { SEAL_OVERHEAD } from '../../format/sealing.ts';
import type { SharedBlobTable } from '../blob-table.ts';

/** A part of the blob table that is sealed by itself. */
export interface Piece {
  readonly section: 'entries' | 'slots';
  /** In the section, in bytes. */
  readonly offset: number;
  readonly length: number;
  /** Of the sealed piece in the file. */
  readonly position: number;
}

/** Small enough that sealing one takes no memory worth mentioning, large enough that there are not too many. */
export const LONGEST_PIECE = 4 * 1024 * 1024;

/** The pieces of a table whose sections have so many bytes in use, in the order in which they lie in the file. */
export function piecesOf(sections: { readonly entries: number; readonly slots: number }): Piece[] {
  const pieces: Piece[] = [];
  let position = 0;
  for (const section of ['entries', 'slots'] as const) {
    for (let offset = 0; offset < sections[section]; offset += LONGEST_PIECE) {
      const length = Math.min(LONGEST_PIECE, sections[section] - offset);
      pieces.push({ section, offset, length, position });
      position += length + SEAL_OVERHEAD;
    }
  }
  return pieces;
}

export function bytesOf(table: SharedBlobTable, { section, offset, length }: Piece): Uint8Array {
  return new Uint8Array(table[section], offset, length);
}
