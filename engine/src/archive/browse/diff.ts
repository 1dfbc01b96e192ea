import { compareNames, isSafeName } from '../../format/tree.ts';
import type { Node } from '../../format/types.ts';
import type { Finding } from '../../kernel/finding.ts';
import type { Id } from '../../kernel/id.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { type PathText, pathText } from '../filter/path-text.ts';
import { type BlobBalance, DiffBlobs } from './diff-blobs.ts';
import { compareNodes } from './node-comparison.ts';
import { problemOf, walkTree } from './tree-walk.ts';

/** One difference from the first tree to the second. */
export interface Change {
  readonly kind: 'change';
  readonly path: PathText;
  /**
   * restic's letters: `+` added, `-` removed, `T` another type, `M` other content, `U` other metadata; `?` behind an M
   * is content that changed although size, times and inode say that nobody wrote it.
   */
  readonly modifier: string;
  readonly before?: Node;
  readonly after?: Node;
}

export interface DiffProblem {
  readonly kind: 'problem';
  readonly problem: Finding;
}

export interface DiffStatistics {
  readonly kind: 'statistics';
  /** Files with other content. */
  readonly changedFiles: number;
  readonly added: DiffFigures;
  readonly removed: DiffFigures;
}

/** Nodes, and the blobs (bytes of their plaintext) that only one of the two trees needs. */
export interface DiffFigures extends BlobBalance {
  readonly files: number;
  readonly dirs: number;
  readonly others: number;
}

export interface DiffOptions {
  /** Tell nodes whose metadata alone differs, folders with other content among them. */
  readonly metadata?: boolean;
  readonly signal?: AbortSignal;
}

/** All changes in the order of the trees, and the statistics at the end. Folders that are the same are not entered. */
export async function* diffTrees(
  indexed: IndexedRepository,
  before: Id,
  after: Id,
  options: DiffOptions = {},
): AsyncGenerator<Change | DiffProblem | DiffStatistics, void, undefined> {
  const comparison = new TreeComparison(indexed, options);
  comparison.blobs.before.addTree(before);
  comparison.blobs.after.addTree(after);
  if (before !== after) yield* comparison.compare('', before, after);
  const { added, removed, problems } = await comparison.blobs.balance(indexed, options.signal);
  for (const problem of problems) yield { kind: 'problem', problem };
  yield {
    kind: 'statistics',
    changedFiles: comparison.changedFiles,
    added: { ...comparison.added, ...added },
    removed: { ...comparison.removed, ...removed },
  };
}

interface NodeCount {
  files: number;
  dirs: number;
  others: number;
}

class TreeComparison {
  readonly blobs = new DiffBlobs();
  readonly added: NodeCount = { files: 0, dirs: 0, others: 0 };
  readonly removed: NodeCount = { files: 0, dirs: 0, others: 0 };
  changedFiles = 0;
  readonly #indexed: IndexedRepository;
  readonly #options: DiffOptions;

  constructor(indexed: IndexedRepository, options: DiffOptions) {
    this.#indexed = indexed;
    this.#options = options;
  }

  async *compare(
    path: PathText,
    before: Id,
    after: Id,
  ): AsyncGenerator<Change | DiffProblem, void, undefined> {
    this.#options.signal?.throwIfAborted();
    const [left, right] = await Promise.all([this.#load(path, before), this.#load(path, after)]);
    for (const { problem } of [left, right]) if (problem !== undefined) yield { kind: 'problem', problem };
    // What could not be read is unknown: it must not look as if it had been removed or added.
    if (left.nodes === undefined || right.nodes === undefined) return;
    for (const [one, other] of pairsOf(left.nodes, right.nodes)) {
      if (one !== undefined && other !== undefined) yield* this.#comparePair(path, one, other);
      else if (one !== undefined) yield* this.#tellAll(path, one, '-');
      else if (other !== undefined) yield* this.#tellAll(path, other, '+');
    }
  }

  async *#comparePair(
    parent: PathText,
    before: Node,
    after: Node,
  ): AsyncGenerator<Change | DiffProblem, void, undefined> {
    this.blobs.before.add(before);
    this.blobs.after.add(after);
    const path = `${parent}/${pathText(after.name)}`;
    const modifier = compareNodes(before, after, this.#options.metadata ?? false);
    if (modifier.includes('M')) this.changedFiles += 1;
    if (modifier !== '') yield { kind: 'change', path, modifier, before, after };
    if (before.subtree === undefined || after.subtree === undefined) return;
    if (before.subtree === after.subtree) this.blobs.addCommon(after.subtree, path);
    else yield* this.compare(path, before.subtree, after.subtree);
  }

  /** A node that only one of the trees has, with all below it. */
  async *#tellAll(
    parent: PathText,
    node: Node,
    modifier: '+' | '-',
  ): AsyncGenerator<Change | DiffProblem, void, undefined> {
    const path = `${parent}/${pathText(node.name)}`;
    yield this.#tell(path, node, modifier);
    if (node.subtree === undefined) return;
    const { signal } = this.#options;
    const options = signal === undefined ? { from: path } : { from: path, signal };
    for await (const step of walkTree(this.#indexed, node.subtree, options)) {
      if (step.kind === 'entry') yield this.#tell(step.path, step.node, modifier);
      if (step.kind === 'problem') yield { kind: 'problem', problem: step.problem };
    }
  }

  #tell(path: PathText, node: Node, modifier: '+' | '-'): Change {
    const [count, blobs] =
      modifier === '+' ? [this.added, this.blobs.after] : [this.removed, this.blobs.before];
    count[node.type === 'file' ? 'files' : node.type === 'dir' ? 'dirs' : 'others'] += 1;
    blobs.add(node);
    return { kind: 'change', path, modifier, ...(modifier === '+' ? { after: node } : { before: node }) };
  }

  async #load(path: PathText, tree: Id): Promise<{ nodes?: readonly Node[]; problem?: Finding }> {
    try {
      return { nodes: (await this.#indexed.loadTree(tree, this.#options.signal)).nodes };
    } catch (error) {
      const problem = problemOf(error, path, tree);
      if (problem === undefined) throw error;
      return { problem };
    }
  }
}

/** Nodes of the same name together, in the order of names. */
function* pairsOf(
  before: readonly Node[],
  after: readonly Node[],
): Generator<readonly [before: Node | undefined, after: Node | undefined]> {
  const [left, right] = [inOrder(before), inOrder(after)];
  for (let [at, beside] = [0, 0]; at < left.length || beside < right.length; ) {
    const [one, other] = [left[at], right[beside]];
    const order = one === undefined ? 1 : other === undefined ? -1 : compareNames(one, other);
    yield [order <= 0 ? one : undefined, order >= 0 ? other : undefined];
    if (order <= 0) at += 1;
    if (order >= 0) beside += 1;
  }
}

/** Trees are sorted; one that is not is damaged, but can still be compared. */
function inOrder(nodes: readonly Node[]): Node[] {
  return nodes.filter((node) => isSafeName(node.name)).toSorted(compareNames);
}
