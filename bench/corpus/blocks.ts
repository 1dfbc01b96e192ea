import type { Prng } from './prng.ts';
import type { TextStock } from './text.ts';

/** Large files are made block by block; what is in a block depends on nothing outside it. */
export const BLOCK = 1024 * 1024;

const PAGE = 8192;
const SECTOR = 512;

/** Fills a block; `index` is its number in the file. */
export type FillBlock = (block: Buffer, index: number, prng: Prng) => void;

export const fillIncompressible: FillBlock = (block, _index, prng) => prng.fill(block);

/**
 * A database's pages: a header that counts, then rows of a running id, a time, a few flags, a random key and some
 * text, free space at the end; every sixteenth page is empty.
 */
export function databaseFiller(stock: TextStock): FillBlock {
  const text = Buffer.alloc(64);
  return (block, index, prng) => {
    block.fill(0);
    for (let page = 0; page < block.length; page += PAGE) {
      const number = (index * block.length + page) / PAGE;
      if (number % 16 === 15) continue;
      block.writeUInt32LE(number, page);
      block.writeUInt32LE(prng.next(), page + 8);
      const full = page + PAGE - prng.below(PAGE / 4);
      let row = page + 24;
      for (let id = number * 80; row + 112 <= full; id++) {
        block.writeUInt32LE(id, row);
        block.writeUInt32LE(1_700_000_000 + id, row + 8);
        block.writeUInt8(prng.below(4), row + 12);
        prng.fill(block.subarray(row + 16, row + 32));
        stock.fill(text, prng);
        row += 32 + text.copy(block, row + 32, 0, 16 + prng.below(48));
      }
    }
  };
}

/** A tar archive's members: a header that names them, three quarters of them text, the others incompressible. */
export function archiveFiller(stock: TextStock): FillBlock {
  return (block, index, prng) => {
    block.fill(0);
    let at = 0;
    for (let member = 0; at + 2 * SECTOR <= block.length; member++) {
      const room = block.length - at - SECTOR;
      const size = Math.min(room, 1 + Math.floor(prng.logNormal(40_000, 1.2)));
      block.write(`release/part-${index}/member-${member}.dat`, at, 'latin1');
      const fields = ['0000644', '0001750', '0001750', size.toString(8).padStart(11, '0')];
      block.write(fields.join('\0'), at + 100, 'latin1');
      const content = block.subarray(at + SECTOR, at + SECTOR + size);
      if (prng.below(4) === 0) prng.fill(content);
      else stock.fill(content, prng);
      at += SECTOR + Math.ceil(size / SECTOR) * SECTOR;
    }
  };
}
