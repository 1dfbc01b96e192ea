/*
 * Sums over a database's files: CRC-32C, and the checksums of PostgreSQL's pages. AssemblyScript, compiled to
 * WebAssembly by scripts/build-kernel.mjs; its one user is engine/src/kernel/page-sums.ts, which owns the memory.
 *
 * Memory, filled by `prepare`: 8 tables of 256 little-endian u32 for the CRC from address 0, 4 more that pass a lane
 * over; the bytes to sum above.
 */

/** Castagnoli's polynomial, bits reversed. */
const POLYNOMIAL: u32 = 0x82f63b78;

/** Bytes of each of four neighbours that are summed at once: a sum alone waits for its own last step all the time. */
const LANE: usize = 4096;
const LANE_TABLES: usize = 8 << 10;

/** Table k tells what a byte does to the sum when k more bytes follow it: eight bytes are then summed at once. */
export function prepare(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let sum = byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ POLYNOMIAL : sum >>> 1;
    store<u32>(byte << 2, sum);
  }
  for (let table: u32 = 1; table < 8; table++) {
    for (let byte: u32 = 0; byte < 256; byte++) {
      const before = load<u32>(((table - 1) << 10) + (byte << 2));
      store<u32>((table << 10) + (byte << 2), (before >>> 8) ^ load<u32>((before & 0xff) << 2));
    }
  }
  prepareLanes();
}

/** What a lane of zeros makes of each byte of a sum: of each bit first, since what it does to two is the XOR of both. */
function prepareLanes(): void {
  for (let bit: u32 = 0; bit < 32; bit++) {
    let sum: u32 = 1 << bit;
    for (let left: usize = LANE; left > 0; left--) sum = (sum >>> 8) ^ effect(0, sum & 0xff);
    const table = LANE_TABLES + ((bit >>> 3) << 10);
    const value: u32 = 1 << (bit & 7);
    for (let lower: u32 = 0; lower < value; lower++) {
      store<u32>(table + ((value + lower) << 2), sum ^ load<u32>(table + (lower << 2)));
    }
  }
}

function effect(table: usize, byte: u32): u32 {
  return load<u32>((table << 10) + (byte << 2));
}

function laneEffect(place: usize, byte: u32): u32 {
  return load<u32>(LANE_TABLES + (place << 10) + (byte << 2));
}

function passedOver(sum: u32): u32 {
  return (
    laneEffect(0, sum & 0xff) ^
    laneEffect(1, (sum >>> 8) & 0xff) ^
    laneEffect(2, (sum >>> 16) & 0xff) ^
    laneEffect(3, sum >>> 24)
  );
}

// Called, it would cost a quarter of the speed.
@inline
function withEight(sum: u32, at: usize): u32 {
  const low = load<u32>(at) ^ sum;
  const high = load<u32>(at + 4);
  return (
    effect(7, low & 0xff) ^
    effect(6, (low >>> 8) & 0xff) ^
    effect(5, (low >>> 16) & 0xff) ^
    effect(4, low >>> 24) ^
    effect(3, high & 0xff) ^
    effect(2, (high >>> 8) & 0xff) ^
    effect(1, (high >>> 16) & 0xff) ^
    effect(0, high >>> 24)
  );
}

/** The running sum (begin with all ones, invert at the end) over [from, to). */
export function crc32c(start: u32, from: usize, to: usize): u32 {
  let sum = start;
  let at = from;
  while (at + 4 * LANE <= to) {
    let second: u32 = 0;
    let third: u32 = 0;
    let fourth: u32 = 0;
    for (const end = at + LANE; at < end; at += 8) {
      sum = withEight(sum, at);
      second = withEight(second, at + LANE);
      third = withEight(third, at + 2 * LANE);
      fourth = withEight(fourth, at + 3 * LANE);
    }
    sum = passedOver(passedOver(passedOver(sum) ^ second) ^ third) ^ fourth;
    at += 3 * LANE;
  }
  while (at + 8 <= to) {
    sum = withEight(sum, at);
    at += 8;
  }
  while (at < to) {
    sum = (sum >>> 8) ^ effect(0, (sum ^ load<u8>(at)) & 0xff);
    at += 1;
  }
  return sum;
}

const PAGE: usize = 8192;

/** FNV-1a with one more shift, as storage/checksum_impl.h has it, on four of the 32 lanes. */
function mixed(sums: v128, values: v128): v128 {
  const crossed = v128.xor(sums, values);
  return v128.xor(i32x4.mul(crossed, i32x4.splat(16777619)), i32x4.shr_u(crossed, 17));
}

/**
 * The checksum of the page at `page`, whose number in its relation is `block`. Its own field (16 bits at offset 8)
 * counts as zero, so it is cleared here and put back.
 */
function pageSum(page: usize, block: u32): u32 {
  const kept = load<u16>(page + 8);
  store<u16>(page + 8, 0);
  let a = i32x4(0x5b1f36e9, 0xb8525960, 0x02ab50aa, 0x1de66d2a);
  let b = i32x4(0x79ff467a, 0x9bb9f8a3, 0x217e7cd2, 0x83e13d2c);
  let c = i32x4(0xf8d4474f, 0xe39eb970, 0x42c6ae16, 0x993216fa);
  let d = i32x4(0x7b093b5d, 0x98daff3c, 0xf718902a, 0x0b1c9cdb);
  let e = i32x4(0xe58f764b, 0x187636bc, 0x5d7b3bb1, 0xe73de7de);
  let f = i32x4(0x92bec979, 0xcca6c0b2, 0x304a0979, 0x85aa43d4);
  let g = i32x4(0x783125bb, 0x6ca8eaa2, 0xe407eac6, 0x4b5cfc3e);
  let h = i32x4(0x9fbf8c76, 0x15ca20be, 0xf2ca9fd3, 0x959bd756);
  for (let at = page; at < page + PAGE; at += 128) {
    a = mixed(a, v128.load(at));
    b = mixed(b, v128.load(at, 16));
    c = mixed(c, v128.load(at, 32));
    d = mixed(d, v128.load(at, 48));
    e = mixed(e, v128.load(at, 64));
    f = mixed(f, v128.load(at, 80));
    g = mixed(g, v128.load(at, 96));
    h = mixed(h, v128.load(at, 112));
  }
  store<u16>(page + 8, kept);
  // Two rounds of zeros spread the last values.
  const zero = i32x4.splat(0);
  for (let round = 0; round < 2; round++) {
    a = mixed(a, zero);
    b = mixed(b, zero);
    c = mixed(c, zero);
    d = mixed(d, zero);
    e = mixed(e, zero);
    f = mixed(f, zero);
    g = mixed(g, zero);
    h = mixed(h, zero);
  }
  const folded = v128.xor(v128.xor(v128.xor(a, b), v128.xor(c, d)), v128.xor(v128.xor(e, f), v128.xor(g, h)));
  const sum =
    i32x4.extract_lane(folded, 0) ^
    i32x4.extract_lane(folded, 1) ^
    i32x4.extract_lane(folded, 2) ^
    i32x4.extract_lane(folded, 3);
  return ((<u32>sum ^ block) % 65535) + 1;
}

/**
 * The first page in [from, to) whose checksum is wrong, or `to`. Pages without a checksum (new ones: the upper end of
 * free space, 16 bits at offset 14, is 0) and pages changed at `since` or later (their position in the log: two u32 at
 * offset 0, upper half first) are passed over.
 */
export function firstWrong(from: usize, to: usize, block: u32, since: u64): usize {
  let at = from;
  let number = block;
  while (at < to) {
    const changed = ((<u64>load<u32>(at)) << 32) | <u64>load<u32>(at + 4);
    const used = load<u16>(at + 14) !== 0 && changed < since;
    if (used && pageSum(at, number) !== <u32>load<u16>(at + 8)) return at;
    at += PAGE;
    number += 1;
  }
  return to;
}
