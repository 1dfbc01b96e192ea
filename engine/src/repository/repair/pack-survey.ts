import { availableParallelism } from 'node:os';
import type { PackedBlob } from '../../format/types.ts';
import { mapConcurrently } from '../../kernel/concurrency.ts';
import type { Id } from '../../kernel/id.ts';
import { damageOf } from '../check/damage.ts';
import { VerifyCrew } from '../check/verify-crew.ts';
import { PackContents } from '../pack-contents.ts';
import type { IndexSurvey } from './index-survey.ts';
import type { Wholeness } from './wholeness.ts';

/** A pack that is to be replaced: something in it is not what its name, its header or the index says. */
export interface DamagedPack {
  readonly id: Id;
  /** Of the file, in bytes. */
  readonly size: number;
  readonly intact: readonly PackedBlob[];
  readonly damaged: readonly PackedBlob[];
}

export interface PackSurveyOptions {
  /** Verifying threads; one for each core otherwise. */
  readonly threads?: number | undefined;
  readonly onPack?: ((done: number, total: number) => void) | undefined;
  readonly signal: AbortSignal;
}

/** Reads packs in full, marks their bad blobs in `wholeness` and answers the packs that have any fault. */
export async function surveyPacks(
  { indexed, sizes }: IndexSurvey,
  ids: readonly Id[],
  wholeness: Wholeness,
  options: PackSurveyOptions,
): Promise<DamagedPack[]> {
  if (ids.length === 0) return [];
  const { repository, index } = indexed;
  const { signal } = options;
  const contents = PackContents.of(index);
  const threads = Math.min(options.threads ?? availableParallelism(), ids.length);
  const setup = { key: repository.key, table: index.table.shared, contents: contents.shared };
  await using crew = new VerifyCrew(threads, setup);
  const found: DamagedPack[] = [];
  let done = 0;
  await mapConcurrently(ids, threads + 1, async (id) => {
    signal.throwIfAborted();
    const number = index.packNumber(id);
    const blobs = contents.blobsOf(number);
    const bad = await faultsOf(id, number);
    if (bad !== undefined) {
      const damaged = bad === 'all' ? blobs : blobs.filter(({ offset }) => bad.has(offset));
      for (const { offset } of damaged) wholeness.spoil(id, offset);
      const intact = blobs.filter((blob) => !damaged.includes(blob));
      found.push({ id, size: sizes.get(id) ?? 0, intact, damaged });
    }
    done += 1;
    options.onPack?.(done, ids.length);
  });
  return found;

  /** The offsets of bad blobs, of which there may be none though the pack is not sound; undefined when it is. */
  async function faultsOf(id: Id, number: number): Promise<'all' | ReadonlySet<number> | undefined> {
    try {
      const bytes = await repository.backend.load({ type: 'pack', name: id }, undefined, signal);
      const { damaged, header, renamed } = await crew.verify(number, id, bytes);
      if (damaged.length === 0 && header === undefined && !renamed) return undefined;
      return new Set(damaged.map(({ blob }) => blob.offset));
    } catch (error) {
      damageOf(error);
      return 'all';
    }
  }
}
