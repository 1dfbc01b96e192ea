import { type Compressor, openCompressor } from '../../format/compressor.ts';
import type { PackedBlob } from '../../format/types.ts';
import type { Clock } from '../../kernel/clock.ts';
import { isFailure } from '../../kernel/failure.ts';
import { sha256Id } from '../../kernel/hash.ts';
import { bytesFromId, type Id } from '../../kernel/id.ts';
import { Index } from '../index.ts';
import type { IndexedRepository } from '../indexed-repository.ts';
import { PackSink } from '../pack-sink.ts';
import { type FinishedPack, Packer } from '../packer.ts';

export interface RepackOptions {
  readonly clock: Clock;
  readonly packSize: number;
  /** Bytes of old packs done so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
  readonly signal: AbortSignal;
}

/**
 * Writes the given blobs of packs into new packs and names those in new index files. Each blob is authenticated and
 * hashed on the way; one that is damaged is taken from another of its places, and without one the call fails. It removes
 * nothing.
 */
export async function repack(
  indexed: IndexedRepository,
  packs: readonly { readonly id: Id; readonly size: number; readonly blobs: readonly PackedBlob[] }[],
  options: RepackOptions,
): Promise<void> {
  if (packs.length === 0) return;
  const compressor = openCompressor();
  try {
    const mover = new Mover(indexed, compressor, options);
    let done = 0;
    for (const { id, size, blobs } of packs) {
      for (const run of runsOf(blobs)) await mover.move(id, run);
      done += size;
      options.onProgress?.(done);
    }
    await mover.finish();
  } finally {
    compressor.close();
  }
}

class Mover {
  readonly #indexed: IndexedRepository;
  readonly #compressor: Compressor;
  readonly #packer: Packer;
  readonly #sink: PackSink;
  readonly #signal: AbortSignal;
  readonly #finished: FinishedPack[] = [];

  constructor(indexed: IndexedRepository, compressor: Compressor, options: RepackOptions) {
    const { repository } = indexed;
    // A table of its own: in the repository's all these blobs are there already.
    const fresh = Index.empty();
    this.#indexed = indexed;
    this.#compressor = compressor;
    this.#signal = options.signal;
    this.#sink = new PackSink(repository, fresh, options.clock, Promise.resolve());
    this.#packer = new Packer({
      key: repository.key,
      table: fresh.table,
      version: repository.config.version,
      compression: 'auto',
      compressor,
      packSize: options.packSize,
      deliver: (pack) => this.#finished.push(pack),
      recycled: () => undefined,
    });
  }

  /** Blobs that lie close to each other in one pack, read at once. */
  async move(pack: Id, run: readonly PackedBlob[]): Promise<void> {
    const { backend } = this.#indexed.repository;
    const offset = run[0]?.offset ?? 0;
    const length = endOf(run) - offset;
    const bytes = await backend.load({ type: 'pack', name: pack }, { offset, length }, this.#signal);
    for (const blob of run) {
      const from = blob.offset - offset;
      await this.#moveBlob(blob, bytes.subarray(from, from + blob.length));
    }
    await this.#saveFinished();
  }

  async finish(): Promise<void> {
    this.#packer.flush();
    await this.#saveFinished();
    await this.#sink.saveIndex(this.#signal);
  }

  async #moveBlob(blob: PackedBlob, sealed: Uint8Array): Promise<void> {
    const { type, id, uncompressedLength } = blob;
    const stored = this.#verified(blob, sealed);
    if (stored !== undefined && uncompressedLength > 0) {
      // Neither compressed again nor worse than it was.
      this.#packer.saveStored(type, bytesFromId(id), stored, uncompressedLength);
    } else {
      this.#packer.save(type, stored ?? (await this.#indexed.loadBlob(type, id, this.#signal)));
    }
  }

  /** The blob as it is stored, when it is what its id says. */
  #verified({ id, uncompressedLength }: PackedBlob, sealed: Uint8Array): Uint8Array | undefined {
    const stored = this.#indexed.repository.sealer.tryOpen(sealed);
    if (stored === undefined) return undefined;
    try {
      const content =
        uncompressedLength > 0 ? this.#compressor.decompress(stored, uncompressedLength) : stored;
      return sha256Id(content) === id ? stored : undefined;
    } catch (error) {
      if (isFailure(error, 'repository.damaged')) return undefined;
      throw error;
    }
  }

  async #saveFinished(): Promise<void> {
    for (const pack of this.#finished.splice(0)) await this.#sink.add(pack, this.#signal);
  }
}

/** Cuts a pack's blobs, which come by offset, where the gap is not worth reading and where enough is read at once. */
function runsOf(blobs: readonly PackedBlob[]): PackedBlob[][] {
  const runs: PackedBlob[][] = [];
  for (const blob of blobs) {
    const run = runs.at(-1);
    const joins =
      run !== undefined &&
      blob.offset - endOf(run) <= LARGEST_GAP &&
      blob.offset + blob.length - (run[0]?.offset ?? 0) <= LONGEST_RUN;
    if (joins) run.push(blob);
    else runs.push([blob]);
  }
  return runs;
}

function endOf(run: readonly PackedBlob[]): number {
  const last = run.at(-1);
  return last === undefined ? 0 : last.offset + last.length;
}

const LARGEST_GAP = 1024 * 1024;
const LONGEST_RUN = 64 * 1024 * 1024;
