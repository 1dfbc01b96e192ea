import type { Node, StoredSnapshot, Tree } from '../../format/types.ts';
import { isFailure } from '../../kernel/failure.ts';
import { type Id, shortId } from '../../kernel/id.ts';
import { type BlobKey, blobKey } from './ledger.ts';
import type { Affected } from './report.ts';

/** How many paths below a tree a finding affects, by the finding's number. */
type Counts = ReadonlyMap<number, number>;

const MOST_PATHS = 100;
const NONE: Counts = new Map();

/**
 * Which paths of which snapshots the lost blobs cost. Trees are counted once each, however many snapshots and
 * directories share them; only then are the first paths looked up, along the branches that have some.
 */
export async function findAffectedPaths(
  snapshots: readonly StoredSnapshot[],
  lost: ReadonlyMap<BlobKey, ReadonlySet<number>>,
  loadTree: (id: Id) => Promise<Tree>,
): Promise<Map<number, Affected>> {
  const search = new Search(lost, loadTree);
  if (lost.size === 0) return search.found;
  for (const { id, tree } of snapshots.toReversed()) {
    await search.addSnapshot(`snapshot ${shortId(id)}:`, tree);
  }
  return search.found;
}

class Search {
  readonly found = new Map<number, { total: number; paths: string[] }>();
  readonly #lost: ReadonlyMap<BlobKey, ReadonlySet<number>>;
  readonly #loadTree: (id: Id) => Promise<Tree>;
  readonly #counts = new Map<Id, Counts>();

  constructor(lost: ReadonlyMap<BlobKey, ReadonlySet<number>>, loadTree: (id: Id) => Promise<Tree>) {
    this.#lost = lost;
    this.#loadTree = loadTree;
  }

  async addSnapshot(label: string, root: Id): Promise<void> {
    const counts = sum([tally(this.#findingsOfTree(root)), await this.#count(root)]);
    for (const [finding, count] of counts) {
      const found = this.found.get(finding) ?? { total: 0, paths: [] };
      found.total += count;
      this.found.set(finding, found);
    }
    this.#list(this.#findingsOfTree(root), `${label}/`);
    await this.#descend(root, `${label}/`);
  }

  /** Affected paths below a tree, itself not counted. */
  async #count(id: Id): Promise<Counts> {
    const known = this.#counts.get(id);
    if (known !== undefined) return known;
    const parts: Counts[] = [];
    for (const node of await this.#nodes(id)) {
      parts.push(tally(this.#findingsOf(node)));
      if (node.subtree !== undefined) parts.push(await this.#count(node.subtree));
    }
    const counts = sum(parts);
    this.#counts.set(id, counts);
    return counts;
  }

  async #descend(id: Id, path: string): Promise<void> {
    if (!this.#isWanted(this.#counts.get(id) ?? NONE)) return;
    for (const node of await this.#nodes(id)) {
      const nodePath = path + node.name.toString();
      this.#list(this.#findingsOf(node), nodePath);
      if (node.subtree !== undefined) await this.#descend(node.subtree, `${nodePath}/`);
    }
  }

  #list(findings: ReadonlySet<number>, path: string): void {
    for (const finding of findings) {
      const paths = this.found.get(finding)?.paths;
      if (paths !== undefined && paths.length < MOST_PATHS) paths.push(path);
    }
  }

  #isWanted(counts: Counts): boolean {
    return [...counts.keys()].some((finding) => (this.found.get(finding)?.paths.length ?? 0) < MOST_PATHS);
  }

  #findingsOf(node: Node): ReadonlySet<number> {
    const findings = new Set(node.subtree === undefined ? [] : this.#findingsOfTree(node.subtree));
    for (const id of node.content ?? []) {
      for (const finding of this.#lost.get(blobKey('data', id)) ?? []) findings.add(finding);
    }
    return findings;
  }

  #findingsOfTree(id: Id): ReadonlySet<number> {
    return this.#lost.get(blobKey('tree', id)) ?? new Set();
  }

  /** A tree that cannot be read has been found already, and what is below it is not known. */
  async #nodes(id: Id): Promise<readonly Node[]> {
    try {
      return (await this.#loadTree(id)).nodes;
    } catch (error) {
      if (isFailure(error)) return [];
      throw error;
    }
  }
}

function tally(findings: ReadonlySet<number>): Counts {
  return findings.size === 0 ? NONE : new Map([...findings].map((finding) => [finding, 1]));
}

function sum(parts: readonly Counts[]): Counts {
  const nonEmpty = parts.filter((part) => part.size > 0);
  if (nonEmpty.length < 2) return nonEmpty[0] ?? NONE;
  const total = new Map<number, number>();
  for (const part of nonEmpty) {
    for (const [finding, count] of part) total.set(finding, (total.get(finding) ?? 0) + count);
  }
  return total;
}
