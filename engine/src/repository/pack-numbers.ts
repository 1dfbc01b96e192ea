import { type Id, idFromBytes } from '../kernel/id.ts';

/**
 * The packs of an index and their numbers, in the order in which they were met: ids as bytes one behind the other, and
 * open-addressing slots over them (number + 1, 0 = empty). As strings in a map, half a million packs would cost 100 MB.
 */
export class PackNumbers {
  #count = 0;
  #ids: Buffer = Buffer.alloc(FIRST_ROOM * 32);
  #slots = new Uint32Array(FIRST_ROOM * 2);
  /** The ids as text, as far as somebody asked for them. */
  readonly #texts: Id[] = [];

  /** Those whose ids `bytes` holds, each once. */
  static of(bytes: Uint8Array): PackNumbers {
    const packs = new PackNumbers();
    for (let at = 0; at < bytes.length; at += 32) packs.claim(bytes, at);
    return packs;
  }

  get count(): number {
    return this.#count;
  }

  /** All ids, by number. */
  get bytes(): Buffer {
    return this.#ids.subarray(0, this.#count * 32);
  }

  get all(): readonly Id[] {
    for (let number = this.#texts.length; number < this.#count; number += 1)
      this.#texts.push(this.idOf(number));
    return this.#texts;
  }

  idOf(number: number): Id {
    return idFromBytes(this.#ids, number * 32);
  }

  /** The number of the pack whose id stands in `bytes` from `at`; -1 when it was not met. */
  find(bytes: Uint8Array, at = 0): number {
    return (this.#slots[this.#slotOf(bytes, at)] as number) - 1;
  }

  /** The same, and a pack that was not met gets the next number. */
  claim(bytes: Uint8Array, at = 0): number {
    const slot = this.#slotOf(bytes, at);
    const known = (this.#slots[slot] as number) - 1;
    if (known >= 0) return known;
    const number = this.#count;
    if (number * 32 === this.#ids.length) {
      this.#grow();
      return this.claim(bytes, at);
    }
    this.#ids.set(bytes.subarray(at, at + 32), number * 32);
    this.#slots[slot] = number + 1;
    this.#count += 1;
    return number;
  }

  /** The slot that holds the id, or the empty one in which it belongs. */
  #slotOf(bytes: Uint8Array, at: number): number {
    const mask = this.#slots.length - 1;
    const start =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    for (let slot = start & mask; ; slot = (slot + 1) & mask) {
      const number = (this.#slots[slot] as number) - 1;
      if (number < 0 || this.#isAt(number * 32, bytes, at)) return slot;
    }
  }

  #isAt(own: number, bytes: Uint8Array, at: number): boolean {
    for (let byte = 0; byte < 32; byte += 1) if (this.#ids[own + byte] !== bytes[at + byte]) return false;
    return true;
  }

  #grow(): void {
    const ids = this.#ids;
    this.#ids = Buffer.alloc(ids.length * 2);
    this.#slots = new Uint32Array(this.#slots.length * 2);
    const count = this.#count;
    this.#count = 0;
    for (let number = 0; number < count; number += 1) this.claim(ids, number * 32);
  }
}

/** A power of two. */
const FIRST_ROOM = 1024;
