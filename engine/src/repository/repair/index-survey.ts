import type { IndexFile, MarkedPack } from '../../format/index-file.ts';
import { packLengthFor } from '../../format/pack.ts';
import type { IndexedPack, PackedBlob } from '../../format/types.ts';
import { mapConcurrently } from '../../kernel/concurrency.ts';
import type { Finding } from '../../kernel/finding.ts';
import { type Id, shortId } from '../../kernel/id.ts';
import { Index } from '../index.ts';
import { IndexedRepository } from '../indexed-repository.ts';
import { listPacks } from '../pack-list.ts';
import type { Repository } from '../repository.ts';
import { damageOf } from './damage.ts';
import { readIndexFiles } from './index-files.ts';
import { readPackHeader } from './pack-header.ts';

/** How the index stands to the packs that are there, and what it should say. */
export interface IndexSurvey {
  /** With what the index should say, in memory alone. */
  readonly indexed: IndexedRepository;
  /** Sizes of the packs that are there, in bytes. */
  readonly sizes: ReadonlyMap<Id, number>;
  /** Every pack that is to be in the index. */
  readonly packs: ReadonlyMap<Id, IndexedPack>;
  /** Packs that wait for their deletion: none of them is in `packs`. */
  readonly marked: ReadonlyMap<Id, MarkedPack>;
  /** Index files that can be read, by name. */
  readonly files: ReadonlyMap<string, IndexFile>;
  readonly plan: IndexRepairPlan;
}

export interface IndexRepairPlan {
  /** Nothing is to be done. */
  readonly idle: boolean;
  /** Names of index files that cannot be read; they are replaced. */
  readonly unreadable: readonly string[];
  /** Packs that no index file names, with what their headers say. */
  readonly added: readonly IndexedPack[];
  /** Packs of which the index did not say what their headers say. */
  readonly corrected: readonly IndexedPack[];
  /** Packs that the index names and that are not there. */
  readonly gone: readonly IndexedPack[];
  /** Packs whose header cannot be read: of those only what the index names can be had, or nothing. */
  readonly findings: readonly Finding[];
  /** Packs whose headers were read. */
  readonly headersRead: number;
}

export interface IndexSurveyOptions {
  /** Read the header of every pack, also where the index and the size of the file agree. */
  readonly readAll?: boolean;
  readonly onPack?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Holds the index against the packs. A pack's header is read where the index does not name the pack, or names it with
 * blobs that do not make up the file; everything else the index tells as well as the header would.
 */
export async function surveyIndex(
  repository: Repository,
  { readAll = false, onPack, signal }: IndexSurveyOptions = {},
): Promise<IndexSurvey> {
  const { files, failures } = await readIndexFiles(repository, signal);
  const sizes = await listPacks(repository, signal);
  const named = packsOf([...files.values()]);
  const marked = new Map<Id, MarkedPack>();
  for (const { packsToDelete } of files.values()) {
    for (const pack of packsToDelete)
      if (!named.has(pack.id) && sizes.has(pack.id)) marked.set(pack.id, pack);
  }

  const packs = new Map<Id, IndexedPack>();
  const [added, corrected, findings]: [IndexedPack[], IndexedPack[], Finding[]] = [[], [], []];
  const doubtful: Id[] = [];
  for (const [id, size] of sizes) {
    const pack = named.get(id);
    if (marked.has(id)) continue;
    if (pack === undefined || readAll || packLengthFor(pack.blobs) !== size) doubtful.push(id);
    else packs.set(id, pack);
  }
  let done = 0;
  await mapConcurrently(doubtful, repository.backend.connections, async (id) => {
    const known = named.get(id);
    const size = sizes.get(id) ?? 0;
    try {
      const pack = { id, blobs: await readPackHeader(repository, { id, size }, signal) };
      packs.set(id, pack);
      if (known === undefined) added.push(pack);
      else if (!namesTheSame(known.blobs, pack.blobs)) corrected.push(pack);
    } catch (error) {
      const salvaged = (known?.blobs ?? []).filter(({ offset, length }) => offset + length <= size);
      findings.push(damagedHeader({ id, size }, damageOf(error).message, salvaged.length));
      if (salvaged.length > 0) packs.set(id, { id, blobs: salvaged });
      if (known !== undefined && salvaged.length < known.blobs.length)
        corrected.push({ id, blobs: salvaged });
    }
    done += 1;
    onPack?.(done, doubtful.length);
  });

  // Of such a pack an index file that a disk could not read may be all that tells the blobs: it is not to go.
  const unread = [...failures.values()].find(({ code }) => code === 'backend.io');
  if (unread !== undefined && findings.some(({ severity }) => severity === 'error')) throw unread;
  const unreadable = [...failures.keys()];
  const gone = [...named.values()].filter(({ id }) => !sizes.has(id));
  const lostMarks = [...files.values()].some(({ packsToDelete }) =>
    packsToDelete.some(({ id }) => !sizes.has(id)),
  );
  const idle = unreadable.length + added.length + corrected.length + gone.length === 0 && !lostMarks;
  const index = Index.empty();
  for (const pack of packs.values()) index.addPack(pack);
  return {
    indexed: new IndexedRepository(repository, index),
    sizes,
    packs,
    marked,
    files,
    plan: { idle, unreadable, added, corrected, gone, findings, headersRead: doubtful.length },
  };
}

/** Each pack once, with the blobs that any file names: old programs spread a pack over several index files. */
function packsOf(files: readonly IndexFile[]): Map<Id, IndexedPack> {
  const packs = new Map<Id, IndexedPack>();
  for (const pack of files.flatMap((file) => file.packs)) {
    const known = packs.get(pack.id);
    packs.set(pack.id, known === undefined ? pack : { id: pack.id, blobs: merged(known.blobs, pack.blobs) });
  }
  return packs;
}

function merged(some: readonly PackedBlob[], others: readonly PackedBlob[]): PackedBlob[] {
  const byPlace = new Map(
    [...some, ...others].map((blob) => [`${blob.offset}/${blob.type}/${blob.id}`, blob]),
  );
  return [...byPlace.values()];
}

function namesTheSame(some: readonly PackedBlob[], others: readonly PackedBlob[]): boolean {
  const text = (blobs: readonly PackedBlob[]) =>
    blobs
      .map((blob) => `${blob.offset} ${blob.type} ${blob.id} ${blob.length} ${blob.uncompressedLength}`)
      .sort()
      .join();
  return text(some) === text(others);
}

function damagedHeader(
  { id, size }: { readonly id: Id; readonly size: number },
  why: string,
  salvaged: number,
): Finding {
  const left =
    salvaged > 0
      ? `${salvaged} blobs can be found by the index alone`
      : 'no index file says what is in it, so nothing of it can be found';
  return {
    severity: salvaged > 0 ? 'warning' : 'error',
    code: 'pack.header-damaged',
    subject: `pack ${shortId(id)}`,
    message: `The header of pack ${id} (${size} bytes) cannot be read: ${why.replace(/\.$/, '')}; ${left}.`,
    hint: 'holdfast repo repair packs writes what is left of it anew.',
  };
}
