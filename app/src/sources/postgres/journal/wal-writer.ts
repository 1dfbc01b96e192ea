import { Failure } from '@holdfast/engine';
import type { Spool } from '../../../journal/spool.ts';
import type { SpoolSegment } from '../../../journal/spool-segment.ts';
import { formatLsn, type Lsn } from '../wal/lsn.ts';
import { segmentName, segmentNumber, segmentOffset } from '../wal/segment.ts';

export interface WalWriterOptions {
  readonly spool: Spool;
  readonly segmentSize: number;
  readonly timeline: number;
  /** The beginning of a segment. */
  readonly start: Lsn;
  /** Called when a segment lies whole in the spool, before its last byte is acknowledged. */
  readonly onSegment: (name: string) => void;
}

/** Puts one timeline's WAL into segments of the spool. One caller at a time. */
export class WalWriter implements AsyncDisposable {
  readonly #options: WalWriterOptions;
  #segment: SpoolSegment | undefined;
  #next: Lsn;
  #flushed: Lsn;

  constructor(options: WalWriterOptions) {
    if (segmentOffset(options.start, options.segmentSize) !== 0) {
      throw new Failure('internal', `${formatLsn(options.start)} is not where a segment begins`);
    }
    this.#options = options;
    this.#next = options.start;
    this.#flushed = options.start;
  }

  /** The first byte that was not written yet. */
  get next(): Lsn {
    return this.#next;
  }

  /** Everything before it is durable, under a durable name. */
  get flushed(): Lsn {
    return this.#flushed;
  }

  /** Writes what follows, through as many segments as it takes. Only what `sync` then answers is durable. */
  async append(pieces: readonly Buffer[]): Promise<void> {
    let batch: Buffer[] = [];
    let room = this.#room();
    for (let piece of pieces) {
      while (piece.length >= room) {
        batch.push(piece.subarray(0, room));
        piece = piece.subarray(room);
        await this.#write(batch);
        await this.#complete();
        batch = [];
        room = this.#options.segmentSize;
      }
      batch.push(piece);
      room -= piece.length;
    }
    await this.#write(batch);
  }

  async sync(): Promise<Lsn> {
    await this.#segment?.sync();
    this.#flushed = this.#next;
    return this.#flushed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#segment?.[Symbol.asyncDispose]();
  }

  #room(): number {
    const { segmentSize } = this.#options;
    return segmentSize - segmentOffset(this.#next, segmentSize);
  }

  async #write(batch: readonly Buffer[]): Promise<void> {
    const bytes = batch.reduce((sum, { length }) => sum + length, 0);
    if (bytes === 0) return;
    const { spool, segmentSize, timeline } = this.#options;
    const number = segmentNumber(this.#next, segmentSize);
    this.#segment ??= await spool.begin(segmentName({ timeline, number }, segmentSize), segmentSize);
    await this.#segment.write(batch);
    this.#next += BigInt(bytes);
  }

  async #complete(): Promise<void> {
    const segment = this.#segment;
    if (segment === undefined) return;
    await segment.complete();
    this.#segment = undefined;
    this.#flushed = this.#next;
    this.#options.onSegment(segment.name);
  }
}
