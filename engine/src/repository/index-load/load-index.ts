import { decodeIndexFile } from '../../format/index-file.ts';
import { mapConcurrently } from '../../kernel/concurrency.ts';
import { type Failure, isFailure } from '../../kernel/failure.ts';
import { BlobTable } from '../blob-table.ts';
import { Index } from '../index.ts';
import type { LocalCache } from '../local-cache.ts';
import type { Repository } from '../repository.ts';
import { IndexCrew } from './index-crew.ts';
import { restoreTable, saveTable } from './table-cache.ts';

export interface LoadIndexOptions {
  readonly signal?: AbortSignal | undefined;
  /** Where the loaded table is kept for the next time. Not for whoever removes by it: they look at the files. */
  readonly cache?: LocalCache | undefined;
  /** From how many bytes of index files on threads and the cache are worth it. */
  readonly largeFrom?: number | undefined;
  /** Threads that are there already; otherwise they are started for a large index, and ended. */
  readonly crew?: IndexCrew | undefined;
}

/**
 * Reads every index file. Throws `repository.damaged` for one that cannot be read: guessing would lose data. One that
 * goes between being listed and being read was replaced by others: then all of it is read again.
 */
export async function loadIndex(repository: Repository, options: LoadIndexOptions = {}): Promise<Index> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await load(repository, options, (_, failure) => {
        throw failure;
      });
    } catch (error) {
      if (!isFailure(error, 'backend.not-found') || attempt === MOST_ATTEMPTS) throw error;
    }
  }
}

/**
 * For a check alone: reads the index files that can be read and tells of the others. What only they name is missing
 * from the index, so nothing may be written or removed by it.
 */
export async function loadReadableIndex(
  repository: Repository,
  onDamaged: (name: string, failure: Failure) => void,
  signal?: AbortSignal,
): Promise<Index> {
  return await load(repository, { signal }, onDamaged);
}

/**
 * Reads the index files that were added since. Answers false when one of those that were read or written is gone: then
 * packs were marked or removed, and only reading all of it anew tells which.
 */
export async function refreshIndex(
  index: Index,
  repository: Repository,
  signal?: AbortSignal,
): Promise<boolean> {
  const there = new Set<string>();
  for await (const { name } of repository.backend.list('index', signal)) there.add(name);
  const { files } = index;
  if (!files.isSubsetOf(there)) return false;
  try {
    await mapConcurrently(there.difference(files), repository.backend.connections, (name) =>
      decodeFile(repository, index, name, signal),
    );
  } catch (error) {
    if (isFailure(error, 'backend.not-found')) return false;
    throw error;
  }
  return true;
}

type OnDamaged = (name: string, failure: Failure) => void;

interface ListedIndexFile {
  readonly name: string;
  readonly size: number;
}

async function load(repository: Repository, options: LoadIndexOptions, onDamaged: OnDamaged): Promise<Index> {
  const { signal, largeFrom = LARGE_FROM } = options;
  const files: ListedIndexFile[] = [];
  for await (const file of repository.backend.list('index', signal)) files.push(file);
  if (sizeOf(files) >= largeFrom) {
    if (options.crew !== undefined)
      return await loadLarge(repository, files, options.crew, options, onDamaged);
    await using crew = new IndexCrew(repository.key);
    return await loadLarge(repository, files, crew, options, onDamaged);
  }
  const index = new Index(BlobTable.create(0));
  await readFiles(repository, files, (name) => decodeFile(repository, index, name, signal), onDamaged);
  return index;
}

async function loadLarge(
  repository: Repository,
  files: readonly ListedIndexFile[],
  crew: IndexCrew,
  { signal, cache }: LoadIndexOptions,
  onDamaged: OnDamaged,
): Promise<Index> {
  const bytes = sizeOf(files);
  const there = new Set(files.map(({ name }) => name));
  const restored = cache === undefined ? undefined : await restoreTable(repository, cache, there, crew);
  const index = restored ?? emptyIndex(bytes, repository, crew);
  const added = files.filter(({ name }) => !index.filesRead.has(name));
  const known = index.table.size;
  await readFiles(
    repository,
    added,
    (name) => scanFile(repository, { index, crew, name, signal }),
    onDamaged,
  );
  index.settle(known);
  if (cache !== undefined && sizeOf(added) > bytes / ADDED_PART)
    await saveTable(repository, cache, index, crew);
  return index;
}

function emptyIndex(bytes: number, repository: Repository, crew: IndexCrew): Index {
  const bytesPerBlob = repository.config.version === 1 ? PLAIN_BYTES_PER_BLOB : BYTES_PER_BLOB;
  const table = BlobTable.create(Math.ceil(bytes / bytesPerBlob));
  crew.attach(table);
  return new Index(table);
}

async function readFiles(
  repository: Repository,
  files: readonly ListedIndexFile[],
  read: (name: string) => Promise<void>,
  onDamaged: OnDamaged,
): Promise<void> {
  await mapConcurrently(files, repository.backend.connections, async ({ name }) => {
    try {
      await read(name);
    } catch (error) {
      if (!isFailure(error)) throw error;
      onDamaged(name, error);
    }
  });
}

interface FileToScan {
  readonly index: Index;
  readonly crew: IndexCrew;
  readonly name: string;
  readonly signal: AbortSignal | undefined;
}

/** What a thread does not make sense of is read once more, here: then it is taken in, or said what is wrong with it. */
async function scanFile(repository: Repository, { index, crew, name, signal }: FileToScan): Promise<void> {
  const sealed = await repository.backend.load({ type: 'index', name }, undefined, signal);
  const scanned = await crew.scan(name, sealed);
  if (scanned === undefined) return await decodeFile(repository, index, name, signal);
  const { packs, marks, blobs } = scanned;
  const numbers = Uint32Array.from({ length: packs.length / 32 }, (_, at) =>
    index.packNumbers.claim(packs, at * 32),
  );
  index.addCopies(await scanned.add(numbers));
  index.noteFile(name, { packs: numbers, marks, blobs });
}

async function decodeFile(
  repository: Repository,
  index: Index,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  index.readFile(name, decodeIndexFile(await repository.loadFile({ type: 'index', name }, signal)));
}

function sizeOf(files: readonly ListedIndexFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

const MOST_ATTEMPTS = 8;
/** Some hundred thousand blobs; below, reading the files takes less time than starting threads. */
const LARGE_FROM = 4 * 1024 * 1024;
/** The cache is written anew when more than this part of the index files was not in it: writing it costs time as well. */
const ADDED_PART = 16;
/** What an index file spends on a blob, compressed and not: estimates that size the table. */
const BYTES_PER_BLOB = 42;
const PLAIN_BYTES_PER_BLOB = 120;
