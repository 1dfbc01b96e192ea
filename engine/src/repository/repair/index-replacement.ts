import {
  encodeIndexFile,
  type IndexFile,
  type MarkedPack,
  MOST_INDEXED_BLOBS,
} from '../../format/index-file.ts';
import type { IndexedPack } from '../../format/types.ts';
import type { Id } from '../../kernel/id.ts';
import type { Repository } from '../repository.ts';

/** What index files are to say from now on. */
export interface WantedIndex {
  readonly packs: ReadonlyMap<Id, IndexedPack>;
  readonly marked: ReadonlyMap<Id, MarkedPack>;
  /** Packs of which `files` do not say what is wanted, though they name them; and packs that they do not name. */
  readonly changed: ReadonlySet<Id>;
}

/**
 * Saves index files so that with them, and without those that are answered, the index says what is wanted. A file that
 * says nothing wrong stays as it is. The caller removes the superfluous ones: until then both are there, and whatever is
 * wanted is named.
 */
export async function replaceIndexFiles(
  repository: Repository,
  files: ReadonlyMap<string, IndexFile>,
  wanted: WantedIndex,
  signal: AbortSignal,
): Promise<string[]> {
  const { packs, marked, changed } = wanted;
  const isRight = ({ packs: named, packsToDelete }: IndexFile) =>
    named.every(({ id }) => packs.has(id) && !changed.has(id)) &&
    packsToDelete.every(({ id }) => marked.has(id) || packs.has(id));
  const superfluous: string[] = [];
  const toName = new Set<Id>(changed);
  const toMark = new Set<Id>();
  for (const [name, file] of files) {
    if (isRight(file)) continue;
    superfluous.push(name);
    for (const { id } of file.packs) toName.add(id);
    for (const { id } of file.packsToDelete) toMark.add(id);
  }
  const writer = new IndexFileWriter(repository, signal);
  for (const id of toName) await writer.add('packs', packs.get(id));
  for (const id of toMark) await writer.add('marks', marked.get(id));
  await writer.save();
  return superfluous;
}

class IndexFileWriter {
  readonly #repository: Repository;
  readonly #signal: AbortSignal;
  #packs: IndexedPack[] = [];
  #marks: MarkedPack[] = [];
  #blobs = 0;

  constructor(repository: Repository, signal: AbortSignal) {
    this.#repository = repository;
    this.#signal = signal;
  }

  async add(kind: 'packs' | 'marks', pack: IndexedPack | undefined): Promise<void> {
    if (pack === undefined) return;
    (kind === 'packs' ? this.#packs : this.#marks).push(pack);
    this.#blobs += pack.blobs.length;
    if (this.#blobs >= MOST_INDEXED_BLOBS) await this.save();
  }

  async save(): Promise<void> {
    if (this.#packs.length + this.#marks.length === 0) return;
    const json = encodeIndexFile(this.#packs, this.#marks);
    this.#packs = [];
    this.#marks = [];
    this.#blobs = 0;
    await this.#repository.saveFile('index', json, this.#signal);
  }
}
