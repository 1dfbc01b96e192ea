import { Failure } from '@holdfast/engine';

/** A stream of which exact amounts can be taken. */
export class ByteSource {
  readonly #iterator: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Buffer>) {
    this.#iterator = stream[Symbol.asyncIterator]();
  }

  /** Up to `most` bytes, at least one. */
  async some(most: number): Promise<Buffer> {
    if (this.#rest.length === 0 && !(await this.#read())) throw cutShort();
    const piece = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(piece.length);
    return piece;
  }

  /** Exactly so many; undefined when the stream has ended just here. */
  async take(length: number): Promise<Buffer | undefined> {
    if (length === 0) return Buffer.alloc(0);
    if (this.#rest.length === 0 && !(await this.#read())) return undefined;
    if (this.#rest.length >= length) return await this.some(length);
    const parts: Buffer[] = [];
    for (let left = length; left > 0; ) {
      const part = await this.some(left);
      parts.push(Buffer.from(part));
      left -= part.length;
    }
    return Buffer.concat(parts);
  }

  async drain(): Promise<void> {
    while (await this.#read());
  }

  async #read(): Promise<boolean> {
    for (;;) {
      const { value, done } = await this.#iterator.next();
      if (done === true) return false;
      this.#rest = value;
      if (value.length > 0) return true;
    }
  }
}

function cutShort(): Failure {
  return new Failure(
    'source.unreadable',
    "the server's archive cannot be understood: it ended in the middle of an entry",
  );
}
