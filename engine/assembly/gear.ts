/*
 * The inner loop of content-defined chunking: a rolling Gear hash with FastCDC's normalised cut condition
 * (Xia et al., "FastCDC", USENIX ATC '16). AssemblyScript, compiled to WebAssembly by scripts/build-kernel.mjs;
 * its one user is engine/src/chunker/gear.ts, which owns the memory.
 *
 * Memory: 256 little-endian u64, the gear table, from address 0; the bytes to cut anywhere above.
 *
 * hash(i) = 2 · hash(i − 1) + table[byte(i)] mod 2^64, so a byte has left the hash after 64 steps: whether there is
 * a cut after byte i depends on the 64 bytes up to i and on nothing else.
 */

const WINDOW: usize = 64;

// A constant shift and a bare comparison let the engine keep one step at one `lea`, one load and one fused
// compare-and-branch; `limit` is a power of two, so "below it" means that all the bits above are zero.
function step(hash: u64, at: usize): u64 {
  return (hash << 1) + load<u64>((<usize>load<u8>(at)) << 3);
}

/** The first end of a window in (from, to] whose hash is below `limit`, or 0. Reads 63 bytes before `from`. */
function scan(from: usize, to: usize, limit: u64): usize {
  let hash: u64 = 0;
  let at = from + 1 - WINDOW;
  while (at < from) {
    hash = step(hash, at);
    at += 1;
  }
  while (at + 8 <= to) {
    hash = step(hash, at);
    if (hash < limit) return at + 1;
    hash = step(hash, at + 1);
    if (hash < limit) return at + 2;
    hash = step(hash, at + 2);
    if (hash < limit) return at + 3;
    hash = step(hash, at + 3);
    if (hash < limit) return at + 4;
    hash = step(hash, at + 4);
    if (hash < limit) return at + 5;
    hash = step(hash, at + 5);
    if (hash < limit) return at + 6;
    hash = step(hash, at + 6);
    if (hash < limit) return at + 7;
    hash = step(hash, at + 7);
    if (hash < limit) return at + 8;
    at += 8;
  }
  while (at < to) {
    hash = step(hash, at);
    at += 1;
    if (hash < limit) return at;
  }
  return 0;
}

/**
 * The first cut in (start + min, end], or 0 when there is none. Up to start + normal a cut needs `hardBits` leading
 * zero bits of the hash, after that `easyBits`: sizes gather around `normal` instead of spreading as an exponential
 * would. The caller sees to `end` ≤ start + max and to min ≥ 64.
 */
export function cut(
  start: usize,
  end: usize,
  min: usize,
  normal: usize,
  hardBits: u32,
  easyBits: u32,
): usize {
  const first = start + min;
  const middle = start + normal;
  if (end <= first) return 0;
  const found = scan(first, end < middle ? end : middle, (<u64>1) << (64 - hardBits));
  if (found !== 0 || end <= middle) return found;
  return scan(middle, end, (<u64>1) << (64 - easyBits));
}
