import { duplicateNames, isSafeName } from '../../format/tree.ts';
import type { Node, Tree } from '../../format/types.ts';
import { isFailure } from '../../kernel/failure.ts';
import { type Id, shortId } from '../../kernel/id.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { type PathText, pathText } from '../filter/path-text.ts';
import { type RestoreProblem, wordsOf } from './problem.ts';
import type { RestoreSelection } from './selection.ts';

/** What to do with what a walk meets. `Place` is whatever the visitor wants to know of a directory. */
export interface TreeVisitor<Place> {
  /** A directory whose tree was read; all its entries, of whatever names. Before anything in it. */
  enter?(place: Place, nodes: readonly Node[]): void;
  /** `wanted`: the directory itself is, and not only something below it. Returns undefined to stay out of it. */
  directory(parent: Place, node: Node, path: PathText, wanted: boolean): Place | undefined;
  /** Anything else that is wanted. */
  entry(parent: Place, node: Node, path: PathText): void;
}

export interface TreeWalk<Place> {
  readonly tree: Id;
  readonly root: Place;
  readonly selection: RestoreSelection;
  readonly visitor: TreeVisitor<Place>;
  readonly problem: (problem: RestoreProblem) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Loads trees; of an indexed repository. */
export type TreeSource = Pick<IndexedRepository, 'loadTree'>;

/**
 * Walks a snapshot's trees depth-first. Names that could lead elsewhere, or that two entries share, are problems and
 * never reach the visitor; so is a tree that cannot be read, and the walk goes on. No recursion: depth is the
 * repository's to choose.
 */
export async function walkTrees<Place>(source: TreeSource, walk: TreeWalk<Place>): Promise<void> {
  const { visitor, selection } = walk;
  const waiting: { place: Place; tree: Id; path: PathText }[] = [
    { place: walk.root, tree: walk.tree, path: '' },
  ];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { place, path } = next;
    walk.signal?.throwIfAborted();
    const tree = await loadOrReport(source, next.tree, path, { ...walk, next: () => soonest(waiting) });
    if (tree === undefined) continue;
    visitor.enter?.(place, tree.nodes);
    const nodes = believable(tree.nodes, path, walk.problem);
    const below: typeof waiting = [];
    for (const node of nodes) {
      const nodePath = `${path}/${pathText(node.name)}`;
      const { wanted, enter } = selection(nodePath, node.type === 'dir');
      if (node.type !== 'dir') {
        if (wanted) visitor.entry(place, node, nodePath);
        continue;
      }
      const inside = wanted || enter ? visitor.directory(place, node, nodePath, wanted) : undefined;
      if (inside === undefined || !enter) continue;
      if (node.subtree === undefined)
        walk.problem({ path: nodePath, kind: 'damaged', message: 'its content is not named' });
      else below.push({ place: inside, tree: node.subtree, path: nodePath });
    }
    waiting.push(...below.reverse());
  }
}

/** The trees on top of the stack: those that are read next. */
function soonest(waiting: readonly { readonly tree: Id }[]): Id[] {
  return waiting
    .slice(-LOOKED_AHEAD)
    .map(({ tree }) => tree)
    .reverse();
}

async function loadOrReport(
  source: TreeSource,
  id: Id,
  path: PathText,
  {
    problem,
    signal,
    next,
  }: Pick<TreeWalk<unknown>, 'problem' | 'signal'> & { readonly next: () => Iterable<Id> },
): Promise<Tree | undefined> {
  try {
    return await source.loadTree(id, signal, next);
  } catch (error) {
    if (!isFailure(error) || error.code === 'interrupted' || error.code === 'backend.unreachable')
      throw error;
    problem({ path: path || '/', kind: 'damaged', message: `its tree ${shortId(id)}: ${wordsOf(error)}` });
    return undefined;
  }
}

function believable(
  nodes: readonly Node[],
  path: PathText,
  problem: (problem: RestoreProblem) => void,
): readonly Node[] {
  const unsafe = nodes.filter((node) => node.name.length === 0 || !isSafeName(node.name));
  const twice = isStrictlySorted(nodes) ? [] : duplicateNames(nodes);
  if (unsafe.length === 0 && twice.length === 0) return nodes;
  const refused = new Set(twice.map((name) => name.toString('latin1')));
  for (const { name } of unsafe) {
    const message = `the name ${JSON.stringify(pathText(name))} is none that a directory can have`;
    problem({ path: path || '/', kind: 'unsafe', message });
  }
  for (const name of twice) {
    problem({
      path: `${path}/${pathText(name)}`,
      kind: 'unsafe',
      message: 'the snapshot has this name twice',
    });
  }
  return nodes.filter((node) => !unsafe.includes(node) && !refused.has(node.name.toString('latin1')));
}

/** As every honest tree is: then no name can be there twice. */
function isStrictlySorted(nodes: readonly Node[]): boolean {
  for (let at = 1; at < nodes.length; at += 1) {
    if (Buffer.compare((nodes[at - 1] as Node).name, (nodes[at] as Node).name) >= 0) return false;
  }
  return true;
}

/** Many of them lie in one pack, or in one that is in memory. */
const LOOKED_AHEAD = 64;
