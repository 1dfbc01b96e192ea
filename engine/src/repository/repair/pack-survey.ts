import { availableParallelism } from 'node:os';
import { openCompressor } from '../../format/compressor.ts';
import type { PackedBlob } from '../../format/types.ts';
import { mapConcurrently } from '../../kernel/concurrency.ts';
import type { Id } from '../../kernel/id.ts';
import { verifyBlob } from '../check/pack-verification.ts';
import { VerifyCrew } from '../check/verify-crew.ts';
import { PackContents } from '../pack-contents.ts';
import { damageOf } from './damage.ts';
import type { IndexSurvey } from './index-survey.ts';
import type { Wholeness } from './wholeness.ts';

/** A pack that is to be replaced: something in it is not what its name, its header or the index says. */
export interface DamagedPack {
  readonly id: Id;
  /** Of the file, in bytes. */
  readonly size: number;
  readonly intact: readonly PackedBlob[];
  readonly damaged: readonly PackedBlob[];
  /** It could not be read as a whole. It may be readable tomorrow, on another machine: its file is to stay. */
  readonly unreadable: boolean;
}

export interface PackSurveyOptions {
  /** Verifying threads; one for each core otherwise. */
  readonly threads?: number | undefined;
  /** A pack that cannot be read at all ends the survey. */
  readonly strict?: boolean | undefined;
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
  const compressor = openCompressor();
  const openers = { sealer: repository.sealer, compressor };
  const found: DamagedPack[] = [];
  let done = 0;
  try {
    await mapConcurrently(ids, threads + 1, async (id) => {
      signal.throwIfAborted();
      const number = index.packNumber(id);
      const blobs = contents.blobsOf(number);
      const verdict = await verifyWhole(id, number);
      if (verdict !== 'sound') {
        const bad = verdict ?? (await verifyEach(id, blobs));
        const damaged = blobs.filter(({ offset }) => bad.has(offset));
        const intact = blobs.filter(({ offset }) => !bad.has(offset));
        for (const { offset } of damaged) wholeness.spoil(id, offset);
        found.push({ id, size: sizes.get(id) ?? 0, intact, damaged, unreadable: verdict === undefined });
      }
      done += 1;
      options.onPack?.(done, ids.length);
    });
  } finally {
    compressor.close();
  }
  return found;

  /** The offsets of bad blobs, of which there may be none though the pack is not sound; undefined for one that cannot be read. */
  async function verifyWhole(id: Id, number: number): Promise<'sound' | ReadonlySet<number> | undefined> {
    try {
      const bytes = await repository.backend.load({ type: 'pack', name: id }, undefined, signal);
      const { damaged, header, renamed } = await crew.verify(number, id, bytes);
      if (damaged.length === 0 && header === undefined && !renamed) return 'sound';
      return new Set(damaged.map(({ blob }) => blob.offset));
    } catch (error) {
      damageOf(error, options.strict);
      return undefined;
    }
  }

  /** Piece by piece: a bad sector costs the blobs that lie on it, and no others. */
  async function verifyEach(id: Id, blobs: readonly PackedBlob[]): Promise<ReadonlySet<number>> {
    const bad = new Set<number>();
    for (const blob of blobs) {
      const { offset, length } = blob;
      try {
        const bytes = await repository.backend.load({ type: 'pack', name: id }, { offset, length }, signal);
        if (verifyBlob(bytes, { ...blob, offset: 0 }, openers) !== undefined) bad.add(offset);
      } catch (error) {
        damageOf(error, options.strict);
        bad.add(offset);
      }
    }
    return bad;
  }
}
