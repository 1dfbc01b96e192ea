import type { MarkedPack } from '../../format/index-file.ts';
import type { PackedBlob } from '../../format/types.ts';
import { Failure, isFailure } from '../../kernel/failure.ts';
import { type Id, shortId } from '../../kernel/id.ts';
import { isRecord } from '../forgotten/record.ts';
import { markedAt } from '../index.ts';
import { loadIndex } from '../index-load/load-index.ts';
import { IndexedRepository } from '../indexed-repository.ts';
import { PackContents } from '../pack-contents.ts';
import { listPacks } from '../pack-list.ts';
import type { Repository } from '../repository.ts';
import { findUsedBlobs } from '../used-blobs.ts';
import { ChosenPlaces } from './chosen-places.ts';
import { filesToMerge } from './index-rewrite.ts';
import type { PackUsage, PruneFacts } from './pack-usage.ts';

/** What prune knows of a repository: all of it was so at some moment, and what snapshots needed then was all there. */
export interface PruneSurvey {
  readonly indexed: IndexedRepository;
  readonly facts: PruneFacts;
  /** The names of the snapshots and index files that it was made from. */
  readonly snapshots: ReadonlySet<string>;
  /** Packs that are marked for deletion, those that are needed included, as the index names them. */
  readonly marked: ReadonlyMap<Id, MarkedPack>;
  /** For each entry of the blob table 1 when a snapshot needs it. */
  readonly used: Uint8Array;
  /** The blobs of a pack that it is to keep, by offset. */
  needed(pack: Id): PackedBlob[];
}

export interface SurveyOptions {
  /** Nothing that was forgotten is to come back: records of it are not needed. */
  readonly withoutRecords?: boolean;
  /** Trees read so far. */
  readonly onTree?: (trees: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finds out what snapshots need. Others may add to the repository meanwhile, but not remove. Throws `repository.damaged` when anything of that is missing, cut off or cannot be
 * read: a repository in which something is wrong is not the place to remove files from.
 */
export async function surveyRepository(
  repository: Repository,
  options: SurveyOptions = {},
): Promise<PruneSurvey> {
  const { signal } = options;
  const snapshots = await repository.loadSnapshots(signal);
  const index = await loadIndex(repository, { signal });
  const marked = new Map(index.marked().map((pack) => [pack.id, pack]));
  // What lies only in a marked pack can still be needed.
  index.countMarked();
  const indexed = new IndexedRepository(repository, index);
  const contents = PackContents.of(index);
  const files = await listPacks(repository, signal);
  const { flags, missing } = await stoppingAtDamage(repository, () =>
    findUsedBlobs(
      indexed,
      snapshots.filter((one) => !(options.withoutRecords && isRecord(one))).map(({ tree }) => tree),
      options,
    ),
  );
  if (missing.length > 0) {
    const [first] = missing;
    throw unsafe(
      repository,
      `${missing.length} blobs that snapshots need are in no pack of the index` +
        (first === undefined ? '' : `, ${first.type} blob ${shortId(first.id)} among them`),
    );
  }
  const places = new ChosenPlaces(index, contents, flags, {
    isWhole: (pack) => files.get(index.packs[pack] as Id) === contents.sizeOf(pack),
    isMarked: (pack) => marked.has(index.packs[pack] as Id),
  });

  const packs: PackUsage[] = [];
  const gone: Id[] = [];
  for (const [number, id] of index.packs.entries()) {
    const size = files.get(id);
    files.delete(id);
    const usage = places.usageOf(number);
    const expected = contents.sizeOf(number);
    if (usage.used.blobs > 0 && size !== expected) {
      const is = size === undefined ? 'is not there' : `has ${size} bytes where the index says ${expected}`;
      throw unsafe(repository, `pack ${shortId(id)}, which snapshots need, ${is}`);
    }
    if (size === undefined) gone.push(id);
    else packs.push({ id, size, markedAt: timeOf(marked.get(id)), ...usage });
  }
  return {
    indexed,
    facts: {
      packs,
      gone,
      unreferenced: [...files].map(([id, size]) => ({ id, size })),
      indexFiles: filesToMerge(index.contents()).length,
      records: snapshots.filter(isRecord).map(({ id, time }) => ({ id, time: Date.parse(time) })),
    },
    snapshots: new Set(snapshots.map(({ id }) => id)),
    marked,
    used: flags,
    needed: (pack) => places.neededOf(index.packNumber(pack)),
  };
}

function timeOf(mark: MarkedPack | undefined): number | undefined {
  return mark === undefined ? undefined : markedAt(mark);
}

async function stoppingAtDamage<Result>(
  repository: Repository,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const codes = [
      'repository.blob-missing',
      'repository.damaged',
      'backend.not-found',
      'backend.short-read',
    ];
    if (!isFailure(error) || !codes.includes(error.code)) throw error;
    throw unsafe(repository, `a tree that snapshots need cannot be read (${error.message})`, error);
  }
}

/** For whatever makes pruning unsafe: says what it is, and that nothing was removed. */
export function unsafe(repository: Repository, what: string, cause?: unknown): Failure {
  return new Failure('repository.damaged', `prune stopped, and nothing was removed: ${what}`, {
    subject: repository.backend.location,
    hint: 'holdfast repo check --read-data names all that is damaged and which files depend on it',
    ...(cause === undefined ? {} : { cause }),
  });
}
