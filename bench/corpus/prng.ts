/**
 * Random numbers that are the same on every machine and in every year: xoshiro128** (Blackman, Vigna 2018) with its
 * state drawn from a label. For corpora only: nothing secret comes from here.
 */
export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** The same label gives the same numbers; labels that differ give unrelated ones. */
  constructor(label: string) {
    const next = splitmix(fnv1a(label));
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next() | 1; // a state of nothing but zeros would stay there
  }

  /** A whole number in [0, 2^32). */
  next(): number {
    const product = Math.imul(this.#b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** A number in [0, 1). */
  fraction(): number {
    return this.next() / 0x1_0000_0000;
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  /** Log-normal with the given mean; `sigma` of the logarithm, about 1.2 for the files of source trees. */
  logNormal(mean: number, sigma: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.fraction()));
    const normal = radius * Math.cos(2 * Math.PI * this.fraction());
    return mean * Math.exp(sigma * normal - (sigma * sigma) / 2);
  }

  /** Incompressible bytes. */
  fill(target: Buffer): void {
    const whole = target.length & ~3;
    for (let at = 0; at < whole; at += 4) target.writeUInt32LE(this.next(), at);
    for (let at = whole; at < target.length; at++) target[at] = this.next() & 0xff;
  }
}

function fnv1a(label: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(label)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

function splitmix(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
}
