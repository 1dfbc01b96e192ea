import type { BlobType, Node } from '../../format/types.ts';
import type { Finding } from '../../kernel/finding.ts';
import type { Id } from '../../kernel/id.ts';
import type { Index } from '../../repository/index.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import type { PathText } from '../filter/path-text.ts';
import { isFollowed, walkTree } from './tree-walk.ts';

/** Blobs that only one side needs; bytes of their plaintext, those that the index does not know left out. */
export interface BlobBalance {
  readonly dataBlobs: number;
  readonly treeBlobs: number;
  readonly bytes: number;
}

/**
 * Which blobs a change added and removed. A blob that moved into or out of a folder which is the same in both trees is
 * neither; so these folders are walked at the end, with only what is still in question kept in memory.
 */
export class DiffBlobs {
  readonly before = new BlobSet();
  readonly after = new BlobSet();
  /** Each with one of its paths. */
  readonly #common = new Map<Id, PathText>();

  /** A folder that both trees have, with all below it. */
  addCommon(tree: Id, path: PathText): void {
    this.#common.set(tree, path);
  }

  /**
   * Ends the collecting: what both sides have is dropped from the sets. Where a common folder cannot be read, the
   * figures may be too large: its problem is handed back.
   */
  async balance(
    indexed: IndexedRepository,
    signal?: AbortSignal,
  ): Promise<{ added: BlobBalance; removed: BlobBalance; problems: readonly Finding[] }> {
    this.before.dropShared(this.after);
    const problems = await this.#dropCommon(indexed, signal);
    return {
      added: this.after.measure(indexed.index),
      removed: this.before.measure(indexed.index),
      problems,
    };
  }

  async #dropCommon(indexed: IndexedRepository, signal?: AbortSignal): Promise<Finding[]> {
    const problems: Finding[] = [];
    const walked = new Set<Id>();
    const descend = (_path: string, node: Node): boolean => {
      if (!isFollowed(node) || walked.has(node.subtree)) return false;
      walked.add(node.subtree);
      return true;
    };
    for (const [tree, from] of this.#common) {
      if (this.before.size + this.after.size === 0) break;
      if (walked.has(tree)) continue;
      walked.add(tree);
      const options = signal === undefined ? { from, descend } : { from, descend, signal };
      for await (const step of walkTree(indexed, tree, options)) {
        if (step.kind === 'problem') problems.push(step.problem);
        if (step.kind !== 'entry') continue;
        this.before.drop(step.node);
        this.after.drop(step.node);
      }
    }
    return problems;
  }
}

class BlobSet {
  readonly #ids: Readonly<Record<BlobType, Set<Id>>> = { data: new Set(), tree: new Set() };

  get size(): number {
    return this.#ids.data.size + this.#ids.tree.size;
  }

  addTree(id: Id): void {
    this.#ids.tree.add(id);
  }

  /** What a node itself names: a file's content, a folder's tree. */
  add(node: Node): void {
    for (const id of node.content ?? []) this.#ids.data.add(id);
    if (node.subtree !== undefined) this.#ids.tree.add(node.subtree);
  }

  drop(node: Node): void {
    for (const id of node.content ?? []) this.#ids.data.delete(id);
    if (node.subtree !== undefined) this.#ids.tree.delete(node.subtree);
  }

  /** Removes from both sets what is in both. */
  dropShared(other: BlobSet): void {
    for (const type of ['data', 'tree'] as const) {
      for (const id of this.#ids[type]) {
        if (other.#ids[type].delete(id)) this.#ids[type].delete(id);
      }
    }
  }

  measure(index: Index): BlobBalance {
    let bytes = 0;
    for (const type of ['data', 'tree'] as const) {
      for (const id of this.#ids[type]) bytes += index.lengthOf(type, id) ?? 0;
    }
    return { dataBlobs: this.#ids.data.size, treeBlobs: this.#ids.tree.size, bytes };
  }
}
