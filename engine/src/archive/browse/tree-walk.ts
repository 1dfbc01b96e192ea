import { isSafeName } from '../../format/tree.ts';
import type { Node } from '../../format/types.ts';
import { type FailureCode, isFailure } from '../../kernel/failure.ts';
import type { Finding } from '../../kernel/finding.ts';
import { type Id, shortId } from '../../kernel/id.ts';
import { printableName } from '../../kernel/printable-name.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { type PathText, pathText } from '../filter/path-text.ts';

/** One step of a walk. Paths begin with a slash, the snapshot's root is the empty path. */
export type WalkStep = EntryStep | LeftStep | ProblemStep;

/** A node, told before what is below it. */
export interface EntryStep {
  readonly kind: 'entry';
  readonly path: PathText;
  readonly node: Node;
  /** The tree that it is an entry of. */
  readonly parent: Id;
}

/**
 * All below a directory has been told, or that it cannot be read. Each directory that is gone into is left once, the
 * tree that the walk began with last.
 */
export interface LeftStep {
  readonly kind: 'left';
  readonly path: PathText;
  readonly tree: Id;
}

/** A directory that cannot be read, or an entry that must not be followed: the walk goes on beside it. */
export interface ProblemStep {
  readonly kind: 'problem';
  readonly path: PathText;
  readonly problem: Finding;
}

export interface WalkOptions {
  /** The path of the tree that the walk begins with; the root without it. */
  readonly from?: PathText;
  /** Whether to go into a directory. Asked once, maybe some steps before the directory is told. All without it. */
  readonly descend?: (path: PathText, node: Node) => boolean;
  readonly signal?: AbortSignal;
}

/** Directories whose trees are fetched before their turn, per level. Each holds its nodes until then. */
const AHEAD = 4;

/** Damage that is confined to what was being read; anything else (no connection, no permission) ends the walk. */
const DAMAGE: readonly FailureCode[] = [
  'repository.damaged',
  'repository.blob-missing',
  'backend.not-found',
  'backend.short-read',
];

/** All nodes below a tree, depth first, in the order that the trees have. */
export async function* walkTree(
  indexed: IndexedRepository,
  tree: Id,
  { from = '', descend = () => true, signal }: WalkOptions = {},
): AsyncGenerator<WalkStep, void, undefined> {
  const load = (id: Id): Promise<LoadedTree> => loadOutcome(indexed, id, signal);
  const levels: Level[] = [];
  const enter = async function* (path: PathText, id: Id, loading: Promise<LoadedTree>) {
    const loaded = await loading;
    if ('thrown' in loaded) {
      const problem = problemOf(loaded.thrown, path, id);
      if (problem === undefined) throw loaded.thrown;
      yield { kind: 'problem', path, problem } as const;
      yield { kind: 'left', path, tree: id } as const;
    } else {
      levels.push(new Level(path, id, loaded.nodes, { descend, load }));
    }
  };

  yield* enter(from, tree, load(tree));
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    signal?.throwIfAborted();
    const entry = level.next();
    if (entry === undefined) {
      levels.pop();
      yield { kind: 'left', path: level.path, tree: level.tree };
      continue;
    }
    const { node, path, loading } = entry;
    const problem = problemWith(node, path);
    if (problem !== undefined) yield { kind: 'problem', path, problem };
    if (isSafeName(node.name)) yield { kind: 'entry', path, node, parent: level.tree };
    if (loading !== undefined && node.subtree !== undefined) yield* enter(path, node.subtree, loading);
  }
}

type LoadedTree = { readonly nodes: readonly Node[] } | { readonly thrown: unknown };

/** Never rejects: what is fetched early may never be asked for. */
async function loadOutcome(indexed: IndexedRepository, id: Id, signal?: AbortSignal): Promise<LoadedTree> {
  try {
    return await indexed.loadTree(id, signal);
  } catch (thrown) {
    return { thrown };
  }
}

interface LevelEntry {
  readonly node: Node;
  readonly path: PathText;
  /** The directory's tree, where it is to be gone into. */
  readonly loading?: Promise<LoadedTree>;
}

interface LevelRules {
  readonly descend: (path: PathText, node: Node) => boolean;
  readonly load: (id: Id) => Promise<LoadedTree>;
}

/** One directory on the way down: which entry is next, and the trees of those soon to come. */
class Level {
  readonly path: PathText;
  readonly tree: Id;
  readonly #nodes: readonly Node[];
  readonly #rules: LevelRules;
  readonly #ready: LevelEntry[] = [];
  #taken = 0;
  #position = 0;
  #fetching = 0;

  constructor(path: PathText, tree: Id, nodes: readonly Node[], rules: LevelRules) {
    this.path = path;
    this.tree = tree;
    this.#nodes = nodes;
    this.#rules = rules;
  }

  next(): LevelEntry | undefined {
    if (this.#taken === this.#ready.length) {
      this.#ready.length = 0;
      this.#taken = 0;
      this.#fetching = 0;
      this.#lookAhead();
    }
    return this.#ready[this.#taken++];
  }

  /** Takes in entries up to the last directory that may be fetched, or a bounded number of others. */
  #lookAhead(): void {
    while (this.#position < this.#nodes.length && this.#fetching < AHEAD && this.#ready.length < LOOK_AHEAD) {
      const node = this.#nodes[this.#position++] as Node;
      const path = `${this.path}/${pathText(node.name)}`;
      if (isFollowed(node) && this.#rules.descend(path, node)) {
        this.#fetching += 1;
        this.#ready.push({ node, path, loading: this.#rules.load(node.subtree) });
      } else {
        this.#ready.push({ node, path });
      }
    }
  }
}

const LOOK_AHEAD = 256;

/** Whether a walk can go into a node. */
export function isFollowed(node: Node): node is Node & { readonly subtree: Id } {
  return node.type === 'dir' && node.subtree !== undefined && isSafeName(node.name);
}

/** The damage that kept a tree from being read; undefined for what is no damage, and ends everything. */
export function problemOf(thrown: unknown, path: PathText, tree: Id): Finding | undefined {
  if (!isFailure(thrown) || !DAMAGE.includes(thrown.code)) return undefined;
  return {
    severity: 'error',
    code: thrown.code === 'repository.blob-missing' ? 'blob.missing' : 'tree.damaged',
    subject: printableName(path === '' ? '/' : path),
    message: `This folder cannot be read (tree ${shortId(tree)}): ${thrown.message}`,
    hint: 'holdfast repo check shows what else is damaged; another snapshot may hold it whole.',
  };
}

function problemWith(node: Node, path: PathText): Finding | undefined {
  const subject = printableName(path);
  const hint = 'holdfast repo check shows what else is damaged.';
  if (!isSafeName(node.name)) {
    const message = 'An entry has a name that could lead out of its folder; it is left out.';
    return { severity: 'error', code: 'tree.unsafe-name', subject, message, hint };
  }
  if (node.type === 'dir' && node.subtree === undefined) {
    const message = 'This folder has no list of what is in it.';
    return { severity: 'error', code: 'tree.damaged', subject, message, hint };
  }
  return undefined;
}
