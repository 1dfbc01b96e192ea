import { Socket } from 'node:net';

/**
 * A socket whose reads lie one behind the other in slabs of 1 MiB. Node itself gives each read memory of its own, and a
 * base is so many reads that collecting it costs more than looking at the bytes. Pieces are told as `data`, as those of
 * any socket, and are their receiver's for good unless it gives their slab back.
 */
export class SlabSocket extends Socket {
  readonly #slabs: Slabs;

  constructor() {
    const slabs = new Slabs();
    super({
      onread: {
        buffer: () => slabs.room(),
        callback: (length) => {
          this.emit('data', slabs.filled(length));
          return true;
        },
      },
    });
    this.#slabs = slabs;
  }

  /**
   * Says that nothing of a piece's slab is looked at any more. Unless the slab is still being filled its memory is used
   * again; whoever still holds a piece of it finds it empty, never with other bytes in it.
   */
  giveBack(piece: Buffer): void {
    this.#slabs.giveBack(piece.buffer as ArrayBuffer);
  }
}

class Slabs {
  #slab: Buffer = Buffer.allocUnsafeSlow(SLAB);
  #filled = 0;
  #spare: ArrayBuffer | undefined;

  room(): Buffer {
    if (SLAB - this.#filled < SMALLEST_READ) {
      this.#slab = this.#spare === undefined ? Buffer.allocUnsafeSlow(SLAB) : Buffer.from(this.#spare);
      this.#spare = undefined;
      this.#filled = 0;
    }
    return this.#slab.subarray(this.#filled);
  }

  filled(length: number): Buffer {
    const from = this.#filled;
    this.#filled += length;
    return this.#slab.subarray(from, this.#filled);
  }

  giveBack(memory: ArrayBuffer): void {
    if (memory !== this.#slab.buffer && !memory.detached) this.#spare = memory.transfer();
  }
}

const SLAB = 1024 * 1024;
const SMALLEST_READ = 64 * 1024;
