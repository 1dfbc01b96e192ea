import {
  createPageSums,
  type Id,
  type IndexedRepository,
  isFailure,
  type Node,
  shortId,
} from '@holdfast/engine';
import type { LogPosition } from './base-stream.ts';
import { ByteSource } from './byte-source.ts';
import { EMPTY, type Part, type Replacement, withAllReplaced } from './crc32c-algebra.ts';
import { type EarlierBase, NotResolvable } from './earlier-base.ts';
import { type MergePlan, PAGE, type PlannedChunk, planMerge, readSentPages } from './incremental-file.ts';
import { BLOCKS_PER_SEGMENT, parseRelationPath } from './relation-file.ts';
import type { Truncations } from './wal-summaries.ts';

/** A file made of an earlier base's and of pages that were sent; its chunks may still be on their way. */
export interface ResolvedFile {
  readonly size: number;
  readonly content: Promise<Id[]>;
  /** Undefined when the earlier base does not know the sum of its own. */
  readonly crc32c: Promise<number | undefined>;
}

export interface DataWriter {
  saveData(bytes: Uint8Array): Promise<Id>;
}

interface Parts {
  readonly earlier: EarlierBase;
  readonly indexed: IndexedRepository;
  readonly writer: DataWriter;
  readonly chunkBytes: number;
  /** What was made shorter between the earlier base's beginning and that of this one. */
  readonly truncationsUntil: (start: LogPosition) => Promise<Truncations>;
  readonly signal?: AbortSignal;
}

/** A chunk that was put together, and what in it was replaced by what. */
interface MadeChunk {
  readonly id: Id;
  readonly replaced: readonly Replacement[];
}

/**
 * Puts files together from the pages that a server sent and the same files of an earlier base. Chunks without a changed
 * page are named again and not read; the others are loaded, patched and stored, some at a time, while the next pages
 * come. Memory is bounded by those under way.
 *
 * What the earlier base does not have, or has damaged, is `NotResolvable`.
 */
export class FileResolver {
  readonly #parts: Parts;
  readonly #sums = createPageSums();
  readonly #underWay = new Set<Promise<unknown>>();
  #truncations: Truncations | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** To be called when the server has said where this base begins: its summaries are complete up to there then. */
  async begin(start: LogPosition): Promise<void> {
    this.#truncations = await this.#parts.truncationsUntil(start);
  }

  /**
   * Resolves when the stream has been read. `path` is the whole file's, `size` that of the stream. Every page sent is
   * shown to `onPage` with its number in the file.
   */
  async resolve(
    path: string,
    size: number,
    stream: AsyncIterable<Buffer>,
    onPage: (page: Buffer, number: number) => void,
  ): Promise<ResolvedFile> {
    const source = new ByteSource(stream);
    const sent = await readSentPages(source, path, size);
    const earlier = await this.#earlierFile(path);
    const plan = planMerge(sent, { size: earlier.size, stayed: this.#stayed(path) }, this.#parts.chunkBytes);
    const made = new Map<number, Promise<MadeChunk>>();
    for (const [at, chunk] of plan.chunks.entries()) {
      if (chunk.kind === 'kept') continue;
      const { firstSent, endSent } = chunk;
      const pages = Buffer.allocUnsafe((endSent - firstSent) * PAGE);
      for (let next = firstSent; next < endSent; next++) {
        const page = await source.take(PAGE);
        if (page === undefined) throw new Error('its size was compared with its head before');
        page.copy(pages, (next - firstSent) * PAGE);
        onPage(page, sent.numbers[next] ?? 0);
      }
      const numbers = sent.numbers.subarray(firstSent, endSent);
      const placed = { at: at * this.#parts.chunkBytes, numbers, pages };
      await this.#room();
      made.set(
        at,
        this.#begin(() => this.#make(chunk, earlier.content[at], placed)),
      );
    }
    // Whatever comes behind the last page is nothing, and so is read to its end.
    await source.drain();
    return {
      size: plan.size,
      content: heldBack(contentOf(plan, earlier.content, made)),
      crc32c: heldBack(this.#sumOf(path, plan, earlier, made)),
    };
  }

  /** The earlier base's file, as far as its shape can be told without reading it. */
  async #earlierFile(path: string): Promise<{ size: number; content: readonly Id[] }> {
    const { earlier, indexed, chunkBytes } = this.#parts;
    const node: Node | undefined = await earlier.file(path);
    if (node?.content === undefined) throw this.#unusable(`it does not have ${path}`);
    const { size, content } = node;
    if (content.length !== Math.ceil(size / chunkBytes)) throw this.#unusable(`${path} is cut otherwise`);
    for (const [at, id] of content.entries()) {
      const expected = Math.min(chunkBytes, size - at * chunkBytes);
      if (indexed.index.lengthOf('data', id) !== expected) {
        throw this.#unusable(`a piece of ${path} is not in the repository any more`);
      }
    }
    return { size, content };
  }

  /** To be called for each file that came whole: `mtime`, in seconds, is when the server wrote it. */
  async meet(path: string, mtime: number): Promise<void> {
    if (await this.#parts.earlier.hasHistory(path, mtime)) return;
    throw this.#unusable('it may be of another life of this server, which came to the same timeline');
  }

  /** Pages of a file that were there all the time. */
  #stayed(path: string): number {
    const relation = parseRelationPath(path);
    if (relation === undefined || this.#truncations === undefined) {
      throw new Error('files of pages are put together after the beginning');
    }
    // Changes of these are not all summed up by a server: it was not told of the earlier ones, and sends them whole.
    if (relation.fork === 'vm') throw this.#unusable(`the server sends only changes of ${path}`);
    return this.#truncations.fewestPages(relation) - relation.segment * BLOCKS_PER_SEGMENT;
  }

  async #make(
    { length, fromEarlier }: Extract<PlannedChunk, { kind: 'made' }>,
    earlierId: Id | undefined,
    sent: { readonly at: number; readonly numbers: Uint32Array; readonly pages: Buffer },
  ): Promise<MadeChunk> {
    const earlier = earlierId === undefined ? undefined : await this.#load(earlierId);
    const bytes = Buffer.alloc(length);
    earlier?.copy(bytes, 0, 0, fromEarlier);
    for (const [nth, number] of sent.numbers.entries()) {
      sent.pages.copy(bytes, number * PAGE - sent.at, nth * PAGE, (nth + 1) * PAGE);
    }
    const replaced = this.#replacements(earlier, bytes, fromEarlier, sent);
    return { id: await this.#parts.writer.saveData(bytes), replaced };
  }

  /** Page by page where only those that were sent differ: that is a small part of most chunks. */
  #replacements(
    earlier: Buffer | undefined,
    bytes: Buffer,
    fromEarlier: number,
    { at, numbers }: { readonly at: number; readonly numbers: Uint32Array },
  ): Replacement[] {
    if (earlier === undefined || fromEarlier < bytes.length || earlier.length !== bytes.length) {
      return [
        { offset: at, before: earlier === undefined ? EMPTY : this.#sum(earlier), after: this.#sum(bytes) },
      ];
    }
    return Array.from(numbers, (number) => {
      const offset = number * PAGE;
      const page = (of: Buffer) => this.#sum(of.subarray(offset - at, offset - at + PAGE));
      return { offset, before: page(earlier), after: page(bytes) };
    });
  }

  /** The sum of the whole file, from the earlier one's and what was replaced. */
  async #sumOf(
    path: string,
    { chunks, dropped }: MergePlan,
    earlier: { readonly size: number; readonly content: readonly Id[] },
    made: ReadonlyMap<number, Promise<MadeChunk>>,
  ): Promise<number | undefined> {
    const crc32c = this.#parts.earlier.sums.get(path);
    if (crc32c === undefined) return undefined;
    const replaced: Replacement[] = [];
    for (const chunk of made.values()) replaced.push(...(await chunk).replaced);
    // What was cut off is read only for this.
    for (const [at, id] of earlier.content.slice(chunks.length, chunks.length + dropped).entries()) {
      await this.#room();
      const before = await this.#begin(async () => this.#sum(await this.#load(id)));
      replaced.push({ offset: (chunks.length + at) * this.#parts.chunkBytes, before, after: EMPTY });
    }
    return withAllReplaced({ crc32c, length: earlier.size }, replaced).crc32c;
  }

  /** Waits until less than the most is under way; throws when earlier work has failed, so that no time is lost. */
  async #room(): Promise<void> {
    const most = this.#parts.indexed.repository.backend.connections;
    while (this.#underWay.size >= most) await Promise.race(this.#underWay);
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#parts.signal?.throwIfAborted();
  }

  #begin<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = heldBack(work());
    const settled: Promise<unknown> = result.then(
      () => this.#underWay.delete(settled),
      (error: unknown) => {
        this.#underWay.delete(settled);
        this.#failure ??= { error };
      },
    );
    this.#underWay.add(settled);
    return result;
  }

  async #load(id: Id): Promise<Buffer> {
    const { indexed, signal } = this.#parts;
    try {
      return await indexed.loadBlob('data', id, signal);
    } catch (error) {
      if (!LOST.some((code) => isFailure(error, code))) throw error;
      throw this.#unusable(error instanceof Error ? error.message : 'a piece of it is lost', error);
    }
  }

  #unusable(why: string, cause?: unknown): NotResolvable {
    const id = shortId(this.#parts.earlier.snapshot.id);
    const hint = 'What is damaged, and what depends on it: holdfast repo check --read-data.';
    return new NotResolvable({ message: `base ${id} cannot be built on: ${why}`, hint }, cause);
  }

  #sum(bytes: Uint8Array): Part {
    this.#sums.begin();
    this.#sums.add(bytes);
    return { crc32c: this.#sums.end().crc32c, length: bytes.length };
  }
}

async function contentOf(
  { chunks }: MergePlan,
  earlier: readonly Id[],
  made: ReadonlyMap<number, Promise<MadeChunk>>,
): Promise<Id[]> {
  const content: Id[] = [];
  for (const at of chunks.keys()) {
    const id = (await made.get(at))?.id ?? earlier[at];
    if (id === undefined) throw new Error('a chunk is kept only where the earlier file has one');
    content.push(id);
  }
  return content;
}

/** Looked at later, or never when the backup fails before. */
function heldBack<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined);
  return promise;
}

/** The index does not know it; its pack is gone, cut off or damaged. */
const LOST = [
  'repository.blob-missing',
  'repository.damaged',
  'backend.not-found',
  'backend.short-read',
] as const;
