import { readFileSync } from 'node:fs';
import { Failure } from '../kernel/failure.ts';
import { sha256 } from '../kernel/hash.ts';
import { type Chunker, MAX_CHUNK, MIN_CHUNK } from './chunker.ts';

/** Up to here a cut needs HARD_BITS zero bits of the hash (one position in 4 Mi), from here EASY_BITS (256 Ki). */
const NORMAL_CHUNK = 1024 * 1024;
const HARD_BITS = 22;
const EASY_BITS = 18;

const PAGE = 64 * 1024;
const DEFAULT_CAPACITY = 16 * 1024 * 1024;

interface Kernel {
  readonly cut: (
    start: number,
    end: number,
    min: number,
    normal: number,
    hard: number,
    easy: number,
  ) => number;
}

/**
 * A content-defined chunker: chunks of 512 KiB to 8 MiB, about 1.2 MiB on average, cut where the last 64 bytes ask
 * for it, so that an insertion changes the chunks around it and no others.
 *
 * The cuts are determined by the bytes and by the repository's chunker polynomial (its hexadecimal digits as they
 * stand in the config). They are no restic cuts: restic feeds the polynomial to a Rabin fingerprint, we derive a gear
 * table from it. So repositories with the same polynomial share blobs of the same program, not across programs.
 *
 * `capacity`: bytes of `memory`, a multiple of 64 KiB, at least 8 MiB.
 * Fails with `repository.damaged` when the polynomial is no number of 64 bits.
 */
export function createChunker(polynomialHex: string, capacity: number = DEFAULT_CAPACITY): Chunker {
  if (capacity < MAX_CHUNK || capacity % PAGE !== 0) {
    throw new Failure('internal', `A chunker cannot have a capacity of ${capacity} bytes.`);
  }
  const table = gearTable(polynomialHex);
  // The first page is the table's, see engine/assembly/gear.ts.
  const pages = 1 + capacity / PAGE;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  new Uint8Array(memory.buffer).set(table);
  const kernel = loadKernel(memory);

  return {
    memory: new Uint8Array(memory.buffer, PAGE, capacity),
    cut(start, end, final) {
      const limit = Math.min(end, start + MAX_CHUNK);
      const found = kernel.cut(PAGE + start, PAGE + limit, MIN_CHUNK, NORMAL_CHUNK, HARD_BITS, EASY_BITS);
      if (found !== 0) return found - PAGE;
      return limit - start === MAX_CHUNK || final ? limit : 0;
    },
  };
}

/**
 * The 256 little-endian u64 of the gear table: entry i is the first 8 bytes, big-endian, of
 * SHA-256("holdfast gear 1" ‖ polynomial as 8 bytes big-endian ‖ i as one byte).
 */
export function gearTable(polynomialHex: string): Uint8Array {
  if (!/^[0-9a-f]{1,16}$/i.test(polynomialHex)) {
    throw new Failure(
      'repository.damaged',
      'The chunker polynomial in the config is no hexadecimal number.',
      {
        hint: 'Compare the config file with another copy of the repository.',
      },
    );
  }
  const label = 'holdfast gear 1';
  const seed = Buffer.alloc(label.length + 9);
  seed.write(label, 'latin1');
  seed.writeBigUInt64BE(BigInt(`0x${polynomialHex}`), label.length);
  const table = Buffer.alloc(256 * 8);
  for (let index = 0; index < 256; index++) {
    seed[seed.length - 1] = index;
    table.writeBigUInt64LE(sha256(seed).readBigUInt64BE(0), index * 8);
  }
  return table;
}

function loadKernel(memory: WebAssemblyMemory): Kernel {
  const code = readFileSync(new URL('./gear.wasm', import.meta.url));
  const instance = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
  return instance.exports as Kernel;
}
