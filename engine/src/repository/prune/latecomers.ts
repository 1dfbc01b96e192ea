import { decodeIndexFile } from '../../format/index-file.ts';
import type { BlobType } from '../../format/types.ts';
import { Failure } from '../../kernel/failure.ts';
import { type Id, isId, shortId } from '../../kernel/id.ts';
import { contentsOf, type IndexFileContents } from '../index.ts';
import { walkTrees } from '../tree-walk.ts';
import { type PruneSurvey, unsafe } from './survey.ts';

/**
 * What others have added since a survey, and which packs have to stay because of it. Asked as often as one likes; each
 * time only what is new is read, so that the last look, while everybody waits, is a short one.
 */
export class Latecomers {
  /** Packs of the survey that new snapshots need something of, or that new index files name in use. */
  readonly needed = new Set<Id>();
  /** What each index file names that is there now. */
  readonly contents: Map<string, IndexFileContents>;
  readonly #survey: PruneSurvey;
  readonly #snapshots: Set<string>;
  /** Entries of the blob table that only new snapshots need. */
  readonly #late = new Set<number>();

  constructor(survey: PruneSurvey) {
    this.#survey = survey;
    this.contents = survey.indexed.index.contents();
    this.#snapshots = new Set(survey.snapshots);
  }

  /** Throws when something is gone that must not go while our lock counts, or is missing from the start. */
  async catchUp(signal: AbortSignal): Promise<void> {
    const { repository } = this.#survey.indexed;
    // Snapshots first: one that is saved right after is not seen, but its index files are there before it.
    const snapshots = await newNames(this.#snapshots, repository.backend.list('snapshot', signal));
    await this.#readIndex(signal);
    const roots: Id[] = [];
    for (const name of snapshots) {
      if (!isId(name)) continue;
      roots.push((await repository.loadSnapshot(name, signal)).tree);
    }
    await this.#walk(roots, signal);
    for (const name of snapshots) this.#snapshots.add(name);
  }

  /**
   * Last look before anything is removed: a new snapshot means that somebody writes in spite of our lock, having taken
   * it for stale perhaps. What they rely on may be what would go. Leaving garbage behind harms nobody.
   */
  async assertNone(signal: AbortSignal): Promise<void> {
    const { repository } = this.#survey.indexed;
    for await (const { name } of repository.backend.list('snapshot', signal)) {
      if (!isId(name) || this.#snapshots.has(name)) continue;
      throw new Failure(
        'repository.lock-lost',
        'somebody saved a snapshot while we held the repository exclusively',
        {
          subject: `${repository.backend.location}: snapshot ${name}`,
          hint: 'nothing was removed; find out which program ignores locks, then prune again',
        },
      );
    }
  }

  async #readIndex(signal: AbortSignal): Promise<void> {
    const { repository, index } = this.#survey.indexed;
    const there = new Set<string>();
    for await (const { name } of repository.backend.list('index', signal)) there.add(name);
    for (const name of this.contents.keys()) {
      if (there.has(name)) continue;
      throw new Failure('repository.lock-lost', 'somebody removed index files while we held a lock', {
        subject: `${repository.backend.location}: index ${name}`,
        hint: 'nothing was removed; find out which program ignores locks, then prune again',
      });
    }
    for (const name of there) {
      if (this.contents.has(name)) continue;
      const file = decodeIndexFile(await repository.loadFile({ type: 'index', name }, signal));
      for (const pack of file.packs) {
        index.addPack(pack);
        this.needed.add(pack.id);
      }
      this.contents.set(name, contentsOf(file));
    }
  }

  async #walk(roots: readonly Id[], signal: AbortSignal): Promise<void> {
    const { indexed } = this.#survey;
    const { repository } = indexed;
    await walkTrees(roots, {
      concurrency: repository.backend.connections,
      signal,
      load: (id) => indexed.loadTree(id, signal),
      enter: (id) => this.#need('tree', id),
      visit: (_, { nodes }) => {
        for (const { content } of nodes) for (const id of content ?? []) this.#need('data', id);
      },
    });
  }

  /** Whether it was not needed before. Below a tree that was needed everything was. */
  #need(type: BlobType, id: Id): boolean {
    const { indexed, used } = this.#survey;
    const { index, repository } = indexed;
    const places = index.lookupAll(type, id);
    if (places.length === 0) {
      throw unsafe(
        repository,
        `${type} blob ${shortId(id)}, which a new snapshot needs, is in no pack of the index`,
      );
    }
    const entry = index.table.findId(type, id);
    if (used[entry] === 1 || this.#late.has(entry)) return false;
    this.#late.add(entry);
    for (const { pack } of places) this.needed.add(pack);
    return true;
  }
}

async function newNames(
  known: ReadonlySet<string>,
  listing: AsyncIterable<{ readonly name: string }>,
): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of listing) if (!known.has(name)) names.push(name);
  return names;
}
