import { createPageSums, Failure } from '@holdfast/engine';
import type { Lsn } from '../wal/lsn.ts';
import { DamagedPages, damageFailure } from './damaged-pages.ts';
import { type BaseManifest, neededWal } from './manifest.ts';
import { firstBlock, isRelationFile } from './relation-file.ts';

interface ReceivedFile {
  readonly size: number;
  readonly crc32c: number;
}

/**
 * What has arrived of a base, summed while it goes by: each file for the comparison with the server's manifest, each page
 * that has a checksum. The server looks at pages too, and reads a torn one again before it sends it; so a page that is
 * wrong here is wrong.
 */
export class BaseSums {
  readonly #sums = createPageSums();
  /** For a page within a file that is being summed. */
  readonly #page = createPageSums();
  readonly #received = new Map<string, ReceivedFile>();
  readonly damage = new DamagedPages();
  #pages = 0;

  /** Where the base began; set before the first file. Only pages changed before were at rest. */
  start: Lsn = 0n;

  /** The file's bytes, as they are; `path` is below the data directory. */
  async *through(path: string, bytes: AsyncIterable<Buffer>, checkPages: boolean): AsyncGenerator<Buffer> {
    const pages = checkPages && isRelationFile(path);
    this.#sums.begin(
      pages
        ? {
            firstBlock: firstBlock(path),
            since: this.start,
            onWrong: (block) => this.damage.add(path, block),
          }
        : undefined,
    );
    let size = 0;
    for await (const piece of bytes) {
      this.#sums.add(piece);
      size += piece.length;
      yield piece;
    }
    const result = this.#sums.end();
    this.#pages += result.pages;
    this.#received.set(path, { size, crc32c: result.crc32c });
  }

  /** Looks at a page of a file of which not all comes; `number` is its place in the file. */
  addPage(path: string, page: Buffer, number: number): void {
    this.#page.begin({
      firstBlock: firstBlock(path) + number,
      since: this.start,
      onWrong: (block) => this.damage.add(path, block),
    });
    this.#page.add(page);
    this.#pages += this.#page.end().pages;
  }

  get pages(): number {
    return this.#pages;
  }

  /** Whether the server sent this file; `path` is below the data directory. */
  has(path: string): boolean {
    return this.#received.has(path);
  }

  /** Throws `source.damaged` when a page has a wrong checksum. */
  verifyPages(): void {
    if (this.damage.count > 0) throw damageFailure(this.damage);
  }

  /** Throws `source.damaged` for the first file that is not as the manifest has it, or that is missing. */
  verifyFiles(manifest: BaseManifest, segmentBytes: number): void {
    for (const file of manifest.files) {
      const received = this.#received.get(file.path);
      const same = received?.size === file.size && (file.crc32c ?? received.crc32c) === received.crc32c;
      if (!same) throw unlike(file.path, received === undefined ? 'did not arrive' : 'arrived changed');
    }
    for (const name of neededWal(manifest.walRanges, segmentBytes)) {
      if (!this.#received.has(`pg_wal/${name}`)) throw unlike(`pg_wal/${name}`, 'did not arrive');
    }
  }
}

function unlike(path: string, what: string): Failure {
  return new Failure('source.damaged', `${path} ${what}, says the server's list of files`, {
    subject: path,
    hint: 'The base is not kept. Take it again; if it happens again, look at the network and the memory of both machines.',
  });
}
