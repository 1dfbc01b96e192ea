import { decodeTree, duplicateNames, isSafeName } from '../../format/tree.ts';
import type { BlobType, PackedBlob, StoredSnapshot, Tree } from '../../format/types.ts';
import { isFailure } from '../../kernel/failure.ts';
import { type Id, shortId } from '../../kernel/id.ts';
import type { IndexedRepository } from '../indexed-repository.ts';
import { walkTrees } from '../tree-walk.ts';
import { damageOf } from './damage.ts';
import { type BlobKey, blobKey, type Ledger } from './ledger.ts';

export interface TreeCheck {
  readonly trees: number;
  /** For each entry of the blob table 1 when a snapshot needs it. */
  readonly used: Uint8Array;
}

/** Reads every tree of the snapshots once, and looks up every blob that they name. */
export async function checkTrees(
  indexed: IndexedRepository,
  snapshots: readonly StoredSnapshot[],
  ledger: Ledger,
  options: { readonly onTree: (trees: number) => void; readonly signal?: AbortSignal | undefined },
): Promise<TreeCheck> {
  const { index, repository } = indexed;
  const { table } = index;
  const used = new Uint8Array(table.size);
  const marked = new MarkedBlobs(indexed, ledger);
  let trees = 0;

  /** The blob's entry; -1 for one that is nowhere, which is then in the ledger. */
  const need = (type: BlobType, id: Id): number => {
    const entry = table.findId(type, id);
    if (entry >= 0 && table.packOf(entry) >= 0) return entry;
    if (!marked.need(type, id)) ledger.missing(type, id);
    return -1;
  };

  const load = async (id: Id): Promise<Tree> => {
    let content: Buffer;
    try {
      content = await indexed.loadBlob('tree', id, options.signal);
    } catch (error) {
      const { message } = damageOf(error);
      for (const place of index.lookupAll('tree', id)) {
        const blob: PackedBlob = { type: 'tree', id, ...place };
        if (!ledger.isBad(place.pack, blob)) ledger.damaged(place.pack, blob, `cannot be read (${message})`);
      }
      return NOTHING;
    }
    try {
      return decodeTree(content);
    } catch (error) {
      if (!isFailure(error)) throw error;
      reportTree(ledger, id, 'tree.damaged', error.message);
      return NOTHING;
    }
  };

  await walkTrees(
    snapshots.map(({ tree }) => tree),
    {
      concurrency: repository.backend.connections,
      signal: options.signal,
      load,
      enter: (id) => {
        const entry = need('tree', id);
        if (entry < 0 || used[entry] === 1) return false;
        used[entry] = 1;
        // Known to be lost with its pack: reading it would only say so again.
        return index
          .lookupAll('tree', id)
          .some(({ pack, offset }) => !ledger.isBad(pack, { type: 'tree', id, offset }));
      },
      visit: (id, tree) => {
        trees += 1;
        options.onTree(trees);
        inspectTree(ledger, id, tree);
        for (const { content } of tree.nodes) {
          for (const blob of content ?? []) {
            const entry = need('data', blob);
            if (entry >= 0) used[entry] = 1;
          }
        }
      },
    },
  );
  marked.close();
  return { trees, used };
}

const NOTHING: Tree = { nodes: [] };

function inspectTree(ledger: Ledger, id: Id, tree: Tree): void {
  const unsafe = tree.nodes.find(({ name }) => name.length === 0 || !isSafeName(name));
  if (unsafe !== undefined) {
    reportTree(ledger, id, 'tree.unsafe-name', `it has an entry ${JSON.stringify(unsafe.name.toString())}`);
  }
  const [duplicate] = duplicateNames(tree.nodes);
  if (duplicate !== undefined) {
    reportTree(ledger, id, 'tree.duplicate-name', `it has ${JSON.stringify(duplicate.toString())} twice`);
  }
  const unsorted = tree.nodes.some((node, at) => {
    const next = tree.nodes[at + 1];
    return next !== undefined && Buffer.compare(node.name, next.name) > 0;
  });
  if (unsorted) reportTree(ledger, id, 'tree.unsorted', 'its entries are not in order');
  const hollow = tree.nodes.find(
    ({ type, subtree, content, size }) =>
      (type === 'dir' && subtree === undefined) || (type === 'file' && size > 0 && content === undefined),
  );
  if (hollow !== undefined) {
    reportTree(
      ledger,
      id,
      'tree.incomplete',
      `${JSON.stringify(hollow.name.toString())} in it has no content`,
    );
  }
}

/** The bytes are what was written: so the program that wrote it was wrong, or somebody means harm. */
function reportTree(ledger: Ledger, id: Id, code: string, why: string): void {
  ledger.addForTree(id, {
    severity: 'error',
    code,
    subject: `tree ${shortId(id)}`,
    message: `The tree ${id} is not as a tree must be: ${why.replace(/\.$/, '')}.`,
    hint: 'It was written so. Which program wrote these snapshots? A restore leaves out what is unsafe.',
  });
}

/** Blobs that snapshots need and that only packs hold that are marked for deletion. */
class MarkedBlobs {
  readonly #ledger: Ledger;
  readonly #places = new Map<BlobKey, { pack: Id; blob: PackedBlob }>();
  readonly #needed = new Map<Id, PackedBlob[]>();

  constructor(indexed: IndexedRepository, ledger: Ledger) {
    this.#ledger = ledger;
    for (const { id: pack, blobs } of indexed.index.marked()) {
      for (const blob of blobs) this.#places.set(blobKey(blob.type, blob.id), { pack, blob });
    }
  }

  need(type: BlobType, id: Id): boolean {
    const key = blobKey(type, id);
    const place = this.#places.get(key);
    if (place === undefined) return false;
    const blobs = this.#needed.get(place.pack) ?? [];
    this.#needed.set(place.pack, blobs);
    if (!blobs.includes(place.blob)) blobs.push(place.blob);
    return true;
  }

  close(): void {
    for (const [pack, blobs] of this.#needed) {
      this.#ledger.addForPack(pack, blobs, {
        severity: 'error',
        code: 'pack.marked-needed',
        subject: `pack ${shortId(pack)}`,
        message: `The pack ${pack} is marked for deletion, but snapshots need ${blobs.length} of its blobs.`,
        hint: 'Run holdfast repo prune before anything else prunes: it takes the mark away.',
      });
    }
  }
}
