const KEPT = 64 * 1024;

/** The end of what a program says, however much it says. */
export class LastOutput {
  #parts: Buffer[] = [];
  #length = 0;
  #dropped = 0;

  add(bytes: Buffer): void {
    this.#parts.push(bytes);
    this.#length += bytes.length;
    // Joined only now and then, so that a program that says one letter at a time costs no more than others.
    if (this.#length > 2 * KEPT || this.#parts.length > 1024) this.#cut();
  }

  get text(): string {
    this.#cut();
    return Buffer.concat(this.#parts).toString();
  }

  /** Bytes that are gone. */
  get dropped(): number {
    this.#cut();
    return this.#dropped;
  }

  #cut(): void {
    const all = Buffer.concat(this.#parts);
    const kept = Buffer.from(all.subarray(Math.max(0, all.length - KEPT)));
    this.#dropped += all.length - kept.length;
    this.#parts = [kept];
    this.#length = kept.length;
  }
}
