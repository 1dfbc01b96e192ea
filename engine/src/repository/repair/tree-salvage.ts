import { encodeTree } from '../../format/tree.ts';
import type { BlobType, Node, StoredSnapshot, Tree } from '../../format/types.ts';
import { sha256Id } from '../../kernel/hash.ts';
import type { Id } from '../../kernel/id.ts';

/** Something that a snapshot loses when it is salvaged. */
export interface LostEntry {
  /** Within the snapshot, as bytes: `/home/ann/letter`. */
  readonly path: Buffer;
  /** `file`: left out. `directory`: stays, but empty, since nobody knows what was in it. */
  readonly kind: 'file' | 'directory';
  /** Of the file as it was saved, in bytes; absent for a directory. */
  readonly size?: number;
}

/** What salvaging asks of a repository. */
export interface SalvageSource {
  loadTree(id: Id): Promise<Tree | undefined>;
  isWhole(type: BlobType, id: Id): boolean;
}

/** A snapshot's tree without what is lost. */
export interface SalvagedTree {
  readonly tree: Id;
  readonly lost: readonly LostEntry[];
}

/** A tree as it is when what is lost below it is left out; paths are relative to it. */
interface Salvaged {
  readonly id: Id;
  readonly lost: readonly LostEntry[];
}

/** Rewrites trees without what is lost. Each is looked at once, however many snapshots share it. */
export class TreeSalvage {
  /** Trees that are to be saved, by id; those that lose nothing are not among them. */
  readonly written = new Map<Id, Buffer>();
  readonly #source: SalvageSource;
  readonly #done = new Map<Id, Salvaged | undefined>();

  constructor(source: SalvageSource) {
    this.#source = source;
  }

  /** Undefined when not even the snapshot's root can be read. */
  async salvage({ tree }: Pick<StoredSnapshot, 'tree'>): Promise<SalvagedTree | undefined> {
    const salvaged = await this.#salvage(tree);
    return salvaged && { tree: salvaged.id, lost: salvaged.lost };
  }

  async #salvage(id: Id): Promise<Salvaged | undefined> {
    if (this.#done.has(id)) return this.#done.get(id);
    const tree = await this.#source.loadTree(id);
    const salvaged = tree === undefined ? undefined : await this.#rewrite(id, tree);
    this.#done.set(id, salvaged);
    return salvaged;
  }

  async #rewrite(id: Id, tree: Tree): Promise<Salvaged> {
    const lost: LostEntry[] = [];
    const nodes: Node[] = [];
    for (const node of tree.nodes) {
      const kept = node.type === 'dir' ? await this.#directory(node, lost) : this.#file(node, lost);
      if (kept !== undefined) nodes.push(kept);
    }
    // Encoded anew only if it must be: another program's encoding may differ in what means nothing.
    return lost.length === 0 ? { id, lost } : { id: this.#write(nodes), lost };
  }

  async #directory(node: Node, lost: LostEntry[]): Promise<Node> {
    const below = node.subtree === undefined ? undefined : await this.#salvage(node.subtree);
    if (below === undefined) {
      lost.push({ path: pathOf(node), kind: 'directory' });
      return { ...node, subtree: this.#write([]) };
    }
    for (const entry of below.lost) lost.push({ ...entry, path: Buffer.concat([pathOf(node), entry.path]) });
    return below.id === node.subtree ? node : { ...node, subtree: below.id };
  }

  #file(node: Node, lost: LostEntry[]): Node | undefined {
    if ((node.content ?? []).every((blob) => this.#source.isWhole('data', blob))) return node;
    lost.push({ path: pathOf(node), kind: 'file', size: node.size });
    return undefined;
  }

  #write(nodes: readonly Node[]): Id {
    const content = encodeTree(nodes);
    const id = sha256Id(content);
    this.written.set(id, content);
    return id;
  }
}

function pathOf({ name }: Node): Buffer {
  return Buffer.concat([SLASH, name]);
}

const SLASH = Buffer.from('/');
