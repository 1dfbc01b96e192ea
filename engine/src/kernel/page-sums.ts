import { readFileSync } from 'node:fs';

const MEMORY_PAGE = 64 * 1024;
/** Where the bytes to sum lie, behind the tables: see engine/assembly/pages.ts. */
const START = MEMORY_PAGE;
const CAPACITY = 256 * 1024;
const DATABASE_PAGE = 8192;

interface Kernel {
  readonly prepare: () => void;
  readonly crc32c: (sum: number, from: number, to: number) => number;
  readonly firstWrong: (from: number, to: number, block: number, since: bigint) => number;
}

/** What is to be looked at besides the CRC: PostgreSQL's pages of 8 KiB. */
export interface PageRules {
  /** Number in its relation of the file's first page. */
  readonly firstBlock: number;
  /** Pages changed at or after this position of the log are passed over: they may have been read half-written. */
  readonly since: bigint;
  readonly onWrong: (block: number) => void;
}

/** The sums of one file at a time. */
export interface PageSums {
  begin(rules?: PageRules): void;
  add(bytes: Uint8Array): void;
  /** Ends the file. */
  end(): { readonly crc32c: number; readonly pages: number };
}

/** Sums several GB/s; owns 256 KiB. */
export function createPageSums(): PageSums {
  const memoryPages = (START + CAPACITY) / MEMORY_PAGE;
  const memory = new WebAssembly.Memory({ initial: memoryPages, maximum: memoryPages });
  const code = readFileSync(new URL('./pages.wasm', import.meta.url));
  const instance = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
  const kernel = instance.exports as Kernel;
  kernel.prepare();
  const bytes = new Uint8Array(memory.buffer, START, CAPACITY);
  let filled = 0;
  let sum = ~0;
  let pages = 0;
  let rules: PageRules | undefined;

  const flush = () => {
    sum = kernel.crc32c(sum, START, START + filled);
    if (rules !== undefined) checkPages(rules);
    filled = 0;
  };
  const checkPages = ({ firstBlock, since, onWrong }: PageRules) => {
    // A file that was cut in the middle of a page while it was read has less than one at its end.
    const end = START + filled - (filled % DATABASE_PAGE);
    for (let from = START; from < end; ) {
      const wrong = kernel.firstWrong(from, end, firstBlock + pages, since);
      pages += (wrong - from) / DATABASE_PAGE;
      if (wrong === end) return;
      onWrong(firstBlock + pages);
      pages += 1;
      from = wrong + DATABASE_PAGE;
    }
  };

  return {
    begin(next) {
      filled = 0;
      sum = ~0;
      pages = 0;
      rules = next;
    },
    add(more) {
      for (let from = 0; from < more.length; ) {
        const taken = Math.min(more.length - from, CAPACITY - filled);
        bytes.set(more.subarray(from, from + taken), filled);
        filled += taken;
        from += taken;
        if (filled === CAPACITY) flush();
      }
    },
    end() {
      flush();
      return { crc32c: ~sum >>> 0, pages };
    },
  };
}
