import { join } from 'node:path';
import { Failure } from '@holdfast/engine';
import type { SpoolDisk, SpoolFile } from './spool-disk.ts';
import { spoolFailure } from './spool-failure.ts';
import { PARTIAL } from './spool-files.ts';

/**
 * A segment while it is filled. One caller at a time; after a failure it is of no more use than to be closed: a second
 * fsync after one that failed may report success for pages that the kernel has thrown away.
 */
export class SpoolSegment implements AsyncDisposable {
  readonly name: string;
  /** Bytes when full. */
  readonly length: number;
  readonly #disk: SpoolDisk;
  readonly #directory: string;
  readonly #file: SpoolFile;
  #written = 0;
  #durable = 0;
  #broken = false;

  constructor(parts: { disk: SpoolDisk; directory: string; file: SpoolFile; name: string; length: number }) {
    this.#disk = parts.disk;
    this.#directory = parts.directory;
    this.#file = parts.file;
    this.name = parts.name;
    this.length = parts.length;
  }

  /** Bytes from the segment's beginning that were written since it was begun. */
  get written(): number {
    return this.#written;
  }

  /** Bytes from the segment's beginning that no power cut can take any more. */
  get durable(): number {
    return this.#durable;
  }

  get full(): boolean {
    return this.#written === this.length;
  }

  /** Appends. The pieces must not change until this has resolved, and must fit. */
  async write(pieces: readonly Uint8Array[]): Promise<void> {
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
    if (this.#written + bytes > this.length) {
      throw new Failure('internal', `${bytes} bytes more do not fit into ${this.name}`);
    }
    await this.#attempt('write', () => this.#file.write(pieces, this.#written));
    this.#written += bytes;
  }

  /** Makes durable what was written. What `durable` says afterwards may be acknowledged, unless the segment is full. */
  async sync(): Promise<void> {
    if (this.#durable === this.#written) return;
    const written = this.#written;
    await this.#attempt('sync', () => this.#file.syncData());
    this.#durable = written;
  }

  /** Closes a full segment under its final name. Only afterwards its last byte may be acknowledged. */
  async complete(): Promise<void> {
    if (!this.full) throw new Failure('internal', `${this.name} is not full and cannot be completed`);
    await this.sync();
    await this.#attempt('complete', async () => {
      await this.#file.close();
      await this.#disk.rename(this.#path(PARTIAL), this.#path(''));
      await this.#disk.syncDirectory(this.#directory);
    });
  }

  /** Leaves the segment as it is, partial. Harmless after `complete`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  #path(suffix: string): string {
    return join(this.#directory, this.name + suffix);
  }

  async #attempt(doing: string, work: () => Promise<void>): Promise<void> {
    if (this.#broken) throw new Failure('internal', `${this.name} failed before and has to be begun again`);
    try {
      await work();
    } catch (error) {
      this.#broken = true;
      throw spoolFailure(error, `${doing} ${this.name} in the spool`, this.#path(PARTIAL));
    }
  }
}
