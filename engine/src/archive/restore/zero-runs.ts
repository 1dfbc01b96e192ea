/** A run of zeros becomes a hole when it fills whole pieces of this many bytes. */
export const HOLE_BYTES = 16 * 1024;

const ZEROS = new Uint8Array(HOLE_BYTES);

/**
 * Calls `write` for each stretch of `bytes` that is not to become a hole. Pieces are counted from `bytes`' own start:
 * file systems round to their blocks anyway.
 */
export function writeAroundZeros(bytes: Uint8Array, write: (from: number, to: number) => void): void {
  let from = 0;
  for (let at = 0; at + HOLE_BYTES <= bytes.length; at += HOLE_BYTES) {
    if (!isZero(bytes, at)) continue;
    if (at > from) write(from, at);
    from = at + HOLE_BYTES;
  }
  if (from < bytes.length) write(from, bytes.length);
}

/** Nearly all pieces are told by their first or last byte. */
function isZero(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] !== 0 || bytes[at + HOLE_BYTES - 1] !== 0) return false;
  return Buffer.compare(bytes.subarray(at, at + HOLE_BYTES), ZEROS) === 0;
}
