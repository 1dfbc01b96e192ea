import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Id } from '../../engine/src/kernel/id.ts';
import { STREAM_NAME, type Work } from '../scenes/repository-work.ts';
import { contentOf } from '../scenes/tree-arbitrary.ts';
import { differences, treeFacts } from '../scenes/tree-facts.ts';
import type { Ending } from './errand-process.ts';

/** What a snapshot must bring back. */
export type Content =
  | { readonly kind: 'tree'; readonly name: string; readonly facts: Record<string, string> }
  | { readonly kind: 'stream'; readonly size: number; readonly seed: number };

/** What work will save, as its source is now. */
export function contentSavedBy(work: Work): Content | undefined {
  if (work.does === 'stream') return { kind: 'stream', size: work.size, seed: work.seed };
  if (work.does !== 'backup') return undefined;
  return { kind: 'tree', name: basename(work.tree), facts: treeFacts(work.tree) };
}

/** What is not as it was, in what was restored into `target`. */
export function compare(content: Content, target: string): string[] {
  if (content.kind === 'tree') return differences(content.facts, treeFacts(join(target, content.name)));
  const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  const same = hash(readFileSync(join(target, STREAM_NAME))) === hash(contentOf(content.size, content.seed));
  return same ? [] : ['the stream came back as other bytes'];
}

/** A piece of work, what it was to save, and how it ended. */
export interface Attempt {
  readonly work: Work;
  readonly content: Content | undefined;
  readonly ending: Ending;
}

/** A snapshot as it is found in the repository. */
export interface Found {
  readonly id: Id;
  readonly tags: readonly string[];
}

/** The repository as a plain map: what was promised and not forgotten. */
export class Model {
  readonly snapshots = new Map<Id, Content>();

  /**
   * Takes into account how a step ended, and what is there after it. What ended well counts; what did not may have
   * happened or not. Answers what is there and should not be, and what is not there and should be.
   */
  settle(attempts: readonly Attempt[], found: readonly Found[]): string[] {
    const wrong: string[] = [];
    const there = new Map(found.map((snapshot) => [snapshot.id, snapshot]));
    const inDoubt = new Set<Id>();
    for (const { work, ending } of attempts) {
      if (work.does !== 'forget') continue;
      for (const id of work.snapshots) {
        if (ending.how === 'done') this.snapshots.delete(id);
        else inDoubt.add(id);
      }
    }
    wrong.push(...this.#adopt(attempts, there));
    for (const id of this.snapshots.keys()) {
      if (there.has(id)) continue;
      if (!inDoubt.has(id)) wrong.push(`snapshot ${id} was promised and is gone`);
      this.snapshots.delete(id);
    }
    return wrong;
  }

  /** Every snapshot that is new must be of an attempt of this step, and each that was promised must be there. */
  #adopt(attempts: readonly Attempt[], there: ReadonlyMap<Id, Found>): string[] {
    const wrong: string[] = [];
    for (const { id, tags } of there.values()) {
      if (this.snapshots.has(id)) continue;
      const origin = attempts.find(({ work }) => 'tag' in work && tags.includes(work.tag));
      if (origin?.content === undefined) wrong.push(`snapshot ${id} came back, or came from nowhere`);
      else this.snapshots.set(id, origin.content);
    }
    for (const { ending } of attempts) {
      const promised = ending.how === 'done' ? ending.done.snapshot : undefined;
      // restic names it by its first digits.
      if (promised === undefined || [...there.keys()].some((id) => id.startsWith(promised))) continue;
      wrong.push(`snapshot ${promised} was promised and is not there`);
    }
    return wrong;
  }
}
