import { chmodSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import type { Node, NodeType } from '../../format/types.ts';
import type { Posix } from '../../kernel/posix/posix.ts';
import type { BlobTable } from '../../repository/blob-table.ts';
import { type BytePath, toBytes, toSystemPath } from '../backup/byte-path.ts';
import { nodeType } from '../backup/node-builder.ts';
import type { PathText } from '../filter/path-text.ts';
import { blobLength } from './content.ts';
import type { CounterRow } from './counters.ts';
import type { Directories } from './directories.ts';
import type { LateEntry } from './late-entries.ts';
import { type Ledger, TARGET } from './ledger.ts';
import type { Ownership } from './metadata.ts';
import { removeOne } from './obstacle.ts';
import { decideOverwrite, type Found, type Overwrite } from './overwrite.ts';
import type { PackPlan } from './pack-plan.ts';
import {
  codeOf,
  isFatalForTarget,
  type NotKeptKind,
  type RestoreProblem,
  TWO_NAMES,
  wordsOf,
} from './problem.ts';
import type { TreeVisitor } from './tree-walk.ts';

export interface PlacementOptions {
  readonly ledger: Ledger;
  readonly directories: Directories;
  readonly table: BlobTable;
  readonly plan: PackPlan;
  readonly posix: Posix;
  readonly counters: CounterRow;
  readonly overwrite: Overwrite;
  readonly ownership: Ownership;
  readonly dryRun: boolean;
  readonly problem: (problem: RestoreProblem) => void;
  readonly notKept: (kind: NotKeptKind, reason: string) => void;
}

/** A directory of the snapshot on its way into the target. It is made when the first thing in it is wanted. */
interface Place {
  readonly parent: Place | undefined;
  readonly node: Node | undefined;
  readonly path: PathText;
  record: number;
  state: 'pending' | 'there' | 'refused';
  /** The names that were there before; empty where the directory was made by us. */
  existing: ReadonlySet<BytePath>;
  /** Whether what is made in it inherits attributes (a default ACL). */
  inherits: boolean;
}

/**
 * Decides for each entry what is to be done in the target, and does what has to be done first: directories are made and
 * what is in the way is removed. What remains is in the lists, to be worked off in their order.
 */
export class Placement implements TreeVisitor<Place> {
  readonly root: Place;
  /** New files without content. */
  readonly empty: number[] = [];
  readonly compare: number[] = [];
  readonly trust: number[] = [];
  /** Every file that is to be as in the snapshot at the end. */
  readonly files: number[] = [];
  /** In the order in which they were made: each after its parent. */
  readonly directories: number[] = [];
  readonly late: LateEntry[] = [];
  readonly #options: PlacementOptions;
  readonly #firstNames = new Map<string, number>();

  constructor(options: PlacementOptions) {
    this.#options = options;
    this.root = {
      parent: undefined,
      node: undefined,
      path: '/',
      record: TARGET,
      state: 'there',
      existing: new Set(),
      inherits: false,
    };
  }

  /** Looks at the target itself, which exists; not called where a dry run has none. */
  openTarget(): void {
    this.#lookInside(this.root);
  }

  directory(parent: Place, node: Node, path: PathText, wanted: boolean): Place | undefined {
    const place: Place = {
      parent,
      node,
      path,
      record: -1,
      state: 'pending',
      existing: NO_NAMES,
      inherits: false,
    };
    if (wanted && !this.#ensure(place)) return undefined;
    return place;
  }

  entry(parent: Place, node: Node, path: PathText): void {
    const { counters, notKept } = this.#options;
    const reason = NOT_RESTORABLE[node.type];
    if (reason !== undefined) {
      notKept(node.type === 'socket' ? 'sockets' : 'specials', reason);
      return;
    }
    if (!this.#ensure(parent)) return;
    try {
      const found = this.#find(parent, node);
      if (found !== undefined && decideOverwrite(node, found, this.#options.overwrite) === 'keep') {
        counters.add('kept', 1);
        return;
      }
      if (node.type === 'file') this.#file(parent, node, path, found);
      else this.#late(parent, node, found);
    } catch (error) {
      this.#refused(path, error);
    }
  }

  #file(parent: Place, node: Node, path: PathText, found: Found | undefined): void {
    const { table, counters, overwrite } = this.#options;
    const blobs = (node.content ?? []).map((id) => table.findId('data', id));
    const missing = blobs.filter((entry) => entry < 0 || table.packOf(entry) < 0).length;
    if (missing > 0) {
      const message = `${missing} of its ${blobs.length} blobs are in no pack of the index`;
      this.#options.problem({ path, kind: 'damaged', message });
      return;
    }
    const size = blobs.reduce((sum, entry) => sum + blobLength(table, entry), 0);
    const verdict = found === undefined ? 'new' : decideOverwrite({ ...node, size }, found, overwrite);
    const fileBefore = found?.type === 'file';
    const twin = this.#twinOf(node);
    if (twin !== undefined) {
      const record = this.#append(parent, node, { blobs: [], size, existing: found !== undefined });
      this.late.push({ kind: 'link', record, to: twin });
      return;
    }
    if (verdict === 'replace') this.#remove(parent, node);
    const record = this.#append(parent, node, { blobs, size, existing: fileBefore });
    if (node.links > 1) this.#firstNames.set(linkKey(node), record);
    counters.add('filesExpected', 1);
    counters.add('bytesExpected', size);
    this.files.push(record);
    if (fileBefore) (verdict === 'trust' ? this.trust : this.compare).push(record);
    else if (blobs.length === 0) this.empty.push(record);
    else this.use(record);
  }

  /** Has all blobs of a file written, or only those at some positions. */
  use(record: number, positions?: ReadonlySet<number>): void {
    const { ledger, table, plan } = this.#options;
    let offset = 0;
    for (let position = 0; position < ledger.blobCount(record); position += 1) {
      const entry = ledger.blobAt(record, position);
      if (positions === undefined || positions.has(position)) plan.add(entry, record, offset);
      offset += blobLength(table, entry);
    }
  }

  #late(parent: Place, node: Node, found: Found | undefined): void {
    const record = this.#append(parent, node, { blobs: [], size: 0, existing: found !== undefined });
    if (node.type === 'symlink') {
      this.late.push({ kind: 'symlink', record, target: node.linkTarget ?? Buffer.alloc(0) });
    } else {
      this.late.push({
        kind: 'special',
        record,
        type: node.type as 'dev' | 'chardev' | 'fifo',
        device: node.device,
      });
    }
  }

  #append(
    parent: Place,
    node: Node,
    more: { readonly blobs: readonly number[]; readonly size: number; readonly existing: boolean },
  ): number {
    const { ledger } = this.#options;
    const { mode, mtime, atime, extendedAttributes } = node;
    return ledger.append({
      directory: parent.record,
      name: node.name.toString('latin1'),
      mode,
      mtime,
      atime,
      ...this.#ownerOf(node),
      attributes: extendedAttributes,
      scrub: more.existing || parent.inherits,
      ...more,
    });
  }

  #ownerOf(node: Node): { uid: number; gid: number } {
    const { posix, ownership } = this.#options;
    if (ownership !== 'name') return { uid: node.uid, gid: node.gid };
    return {
      uid: (node.user === '' ? undefined : posix.accounts?.userId(node.user)) ?? node.uid,
      gid: (node.group === '' ? undefined : posix.accounts?.groupId(node.group)) ?? node.gid,
    };
  }

  /** The record of another name of the same file, which comes first. */
  #twinOf(node: Node): number | undefined {
    return node.links > 1 ? this.#firstNames.get(linkKey(node)) : undefined;
  }

  /** Makes a directory and those above it, unless that is done; false where it cannot be. No recursion: see the walk. */
  #ensure(place: Place): boolean {
    if (place.state !== 'pending') return place.state === 'there';
    const pending: Place[] = [];
    let top: Place | undefined = place;
    for (; top?.state === 'pending'; top = top.parent) pending.push(top);
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      next.state = next.parent?.state === 'there' && this.#make(next, next.parent) ? 'there' : 'refused';
    }
    return (place.state as Place['state']) === 'there';
  }

  #make(place: Place, parent: Place): boolean {
    const { overwrite, dryRun, directories } = this.#options;
    const node = place.node as Node;
    try {
      const found = this.#find(parent, node);
      const before = found?.type === 'dir';
      if (found !== undefined && !before) {
        if (decideOverwrite(node, found, overwrite) === 'keep')
          throw inTheWay('what is there is no directory, and is kept');
        this.#remove(parent, node);
      }
      if (!before && !dryRun) mkdirSync(toSystemPath(this.#pathOf(parent, node)), 0o700);
      place.record = this.#append(parent, node, { blobs: [], size: 0, existing: before });
      // Opened now, so that what is no directory after all is found out before anything is put into it.
      if (before) this.#lookInside(place);
      else if (!dryRun) directories.inside(place.record);
      place.inherits ||= parent.inherits;
      this.directories.push(place.record);
      return true;
    } catch (error) {
      this.#refused(place.path, error);
      return false;
    }
  }

  #lookInside(place: Place): void {
    const { directories, posix, dryRun } = this.#options;
    const inside = directories.inside(place.record);
    if (!dryRun && place !== this.root && process.geteuid?.() !== 0) makeUsable(`${inside}.`);
    place.existing = new Set(readdirSync(toSystemPath(inside), 'latin1' as BufferEncoding));
    const defaultAcl = Buffer.from('system.posix_acl_default');
    place.inherits = posix.attributes?.get(toBytes(`${inside}.`), defaultAcl) !== undefined;
  }

  #find(parent: Place, node: Node): Found | undefined {
    if (!parent.existing.has(node.name.toString('latin1'))) return undefined;
    const found = lstatSync(toSystemPath(this.#pathOf(parent, node)), {
      bigint: true,
      throwIfNoEntry: false,
    });
    if (found === undefined) return undefined;
    return { type: nodeType(Number(found.mode)), size: Number(found.size), mtime: found.mtimeNs };
  }

  #remove(parent: Place, node: Node): void {
    if (this.#options.dryRun) return;
    removeOne(this.#pathOf(parent, node));
  }

  #pathOf(parent: Place, node: Node): BytePath {
    return this.#options.directories.inside(parent.record) + node.name.toString('latin1');
  }

  #refused(path: PathText, error: unknown): void {
    if (isFatalForTarget(error)) throw error;
    const { problem } = this.#options;
    if (codeOf(error) === 'EEXIST') problem({ path, kind: 'unsafe', message: TWO_NAMES });
    else
      problem({
        path,
        kind: codeOf(error) === 'ENOTEMPTY' ? 'in-the-way' : 'write',
        message: wordsOf(error),
      });
  }
}

const NO_NAMES: ReadonlySet<BytePath> = new Set();
const NOT_RESTORABLE: Partial<Record<NodeType, string>> = {
  socket: 'a socket is made by the program that listens on it',
  irregular: 'what it was could not be told when it was saved',
};
const OWNER_ALL = 0o700;

/** The owner of a directory without write permission gives it to himself; it gets the snapshot's mode at the end. */
function makeUsable(path: BytePath): void {
  const { mode, uid } = lstatSync(toSystemPath(path));
  if (uid !== process.geteuid?.() || (mode & OWNER_ALL) === OWNER_ALL) return;
  chmodSync(toSystemPath(path), (mode & 0o7777) | OWNER_ALL);
}

function inTheWay(message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code: 'ENOTEMPTY' });
}

function linkKey({ deviceId, inode }: Node): string {
  return `${deviceId}:${inode}`;
}
