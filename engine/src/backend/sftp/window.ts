/** A part of a file that goes in one packet. */
export interface Piece {
  readonly at: number;
  readonly length: number;
}

export function* piecesOf(total: number, size: number): Generator<Piece> {
  for (let at = 0; at < total; at += size) yield { at, length: Math.min(size, total - at) };
}

/** How many pieces one call has on their way, so that a long way to the server does not make it slow. */
export function piecesInFlight(size: number): number {
  return Math.max(1, Math.floor(IN_FLIGHT / size));
}

/** Twice what OpenSSH lets a channel have on its way. 40 MB/s at a round trip of 100 ms. */
const IN_FLIGHT = 4 * 1024 * 1024;
