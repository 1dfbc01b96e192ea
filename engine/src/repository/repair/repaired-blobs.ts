import { openCompressor } from '../../format/compressor.ts';
import type { BlobType } from '../../format/types.ts';
import type { Clock } from '../../kernel/clock.ts';
import { mapConcurrently } from '../../kernel/concurrency.ts';
import { sha256Id } from '../../kernel/hash.ts';
import type { Id } from '../../kernel/id.ts';
import { Index } from '../index.ts';
import type { IndexedRepository } from '../indexed-repository.ts';
import { PackSink } from '../pack-sink.ts';
import { type FinishedPack, Packer } from '../packer.ts';
import type { Repository } from '../repository.ts';
import type { WantedBlob } from './blob-source.ts';
import type { BlobSurvey } from './blob-survey.ts';

export interface SaveOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onBlob: (done: number, total: number) => void;
}

/**
 * Saves into new packs what damaged packs have left and what others have of the lost blobs, and names those packs in new
 * index files. Removes nothing. `refused` counts blobs that a source did not give after all.
 */
export async function saveRepairedBlobs(
  indexed: IndexedRepository,
  { damagedPacks, found, wholeness }: BlobSurvey,
  { clock, signal, onBlob }: SaveOptions,
): Promise<{ saved: number; refused: number }> {
  const { repository, index } = indexed;
  const goes = new Set<Id>(damagedPacks.map(({ id }) => id));
  const staysElsewhere = (type: BlobType, id: Id) =>
    index.lookupAll(type, id).some(({ pack, offset }) => !goes.has(pack) && !wholeness.isBad(pack, offset));
  const left = damagedPacks
    .flatMap(({ intact }) => intact)
    .filter(({ type, id }) => !staysElsewhere(type, id));
  const total = found.reduce((sum, { blobs }) => sum + blobs.length, left.length);
  let [done, saved, refused] = [0, 0, 0];

  await using writer = new BlobWriter(repository, clock, signal);
  const save = async ({ type, id }: WantedBlob, content: Uint8Array | undefined) => {
    // Verified where it was read; the last look is ours, since what is saved under an id is believed from then on.
    if (content !== undefined && sha256Id(content) === id) {
      await writer.save(type, content);
      saved += 1;
    } else refused += 1;
    done += 1;
    onBlob(done, total);
  };
  await mapConcurrently(left, repository.backend.connections, async (blob) => {
    await save(blob, await indexed.loadBlob(blob.type, blob.id, signal));
  });
  for (const { source, blobs } of found) await source.fetch(blobs, save, signal);
  await writer.finish();
  return { saved, refused };
}

/** Packs blobs apart from the repository's own table, in which many of these are already, in bad places. */
export class BlobWriter implements AsyncDisposable {
  readonly #compressor = openCompressor();
  readonly #packer: Packer;
  readonly #sink: PackSink;
  readonly #signal: AbortSignal;
  readonly #finished: FinishedPack[] = [];

  constructor(repository: Repository, clock: Clock, signal: AbortSignal) {
    const fresh = Index.empty();
    this.#signal = signal;
    this.#sink = new PackSink(repository, fresh, clock, Promise.resolve());
    this.#packer = new Packer({
      key: repository.key,
      table: fresh.table,
      version: repository.config.version,
      compression: 'auto',
      compressor: this.#compressor,
      packSize: repository.packSize,
      deliver: (pack) => this.#finished.push(pack),
      recycled: () => undefined,
    });
  }

  async save(type: BlobType, content: Uint8Array): Promise<void> {
    this.#packer.save(type, content);
    await this.#saveFinished();
  }

  /** Everything that was saved is durable and named by an index file when this resolves. */
  async finish(): Promise<void> {
    this.#packer.flush();
    await this.#saveFinished();
    await this.#sink.saveIndex(this.#signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#compressor.close();
  }

  async #saveFinished(): Promise<void> {
    for (const pack of this.#finished.splice(0)) await this.#sink.add(pack, this.#signal);
  }
}
