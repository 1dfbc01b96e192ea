import { hostname, userInfo } from 'node:os';
import { openCompressor } from '../../format/compressor.ts';
import { encodeTree } from '../../format/tree.ts';
import type { BlobType, Node, Snapshot, StoredSnapshot } from '../../format/types.ts';
import type { Clock } from '../../kernel/clock.ts';
import { type Id, idFromBytes, isId } from '../../kernel/id.ts';
import { Index } from '../index.ts';
import type { IndexedRepository } from '../indexed-repository.ts';
import { PackSink } from '../pack-sink.ts';
import { type FinishedPack, Packer } from '../packer.ts';
import type { Repository } from '../repository.ts';

/*
 * What was forgotten is kept for a while in an ordinary snapshot, a record, tagged `holdfast:forgotten`:
 *
 *     /holdfast/forgotten/1a2b…      the snapshot's file as it lay in the repository, sealed, under its id
 *                         3c4d…
 *
 * A record needs none of the data of what it tells of. Since a snapshot's name is the hash of its bytes, it comes back
 * under the same id; and with stock restic `dump RECORD /holdfast/forgotten/ID > repository/snapshots/ID` does the same.
 */
export const FORGOTTEN_TAG = 'holdfast:forgotten';

const PLACE = ['holdfast', 'forgotten'] as const;

export function isRecord({ tags }: Pick<Snapshot, 'tags'>): boolean {
  return tags.includes(FORGOTTEN_TAG);
}

export interface SealedSnapshot {
  readonly id: Id;
  /** The bytes of the file. */
  readonly sealed: Uint8Array;
}

/** Saves a record: packs, index, then the snapshot. The caller holds a lock. */
export async function saveRecord(
  repository: Repository,
  forgotten: readonly SealedSnapshot[],
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Id> {
  const { clock, signal } = options;
  const tree = await saveTree(repository, forgotten, options);
  const { username, uid, gid } = userInfo();
  const record = {
    time: new Date(clock.now()).toISOString(),
    tree,
    paths: [`/${PLACE.join('/')}`],
    hostname: hostname(),
    username,
    uid: Math.max(0, uid),
    gid: Math.max(0, gid),
    excludes: [],
    tags: [FORGOTTEN_TAG],
  };
  return await repository.saveSnapshot(record, signal);
}

/** The files that a record holds. */
export async function readRecord(
  indexed: IndexedRepository,
  record: Pick<StoredSnapshot, 'tree'>,
  signal?: AbortSignal,
): Promise<SealedSnapshot[]> {
  let { tree } = record;
  for (const name of PLACE) {
    const { nodes } = await indexed.loadTree(tree, signal);
    const next = nodes.find((node) => node.name.toString() === name)?.subtree;
    if (next === undefined) return [];
    tree = next;
  }
  const found: SealedSnapshot[] = [];
  for (const { name, content = [] } of (await indexed.loadTree(tree, signal)).nodes) {
    const id = name.toString();
    const [blob] = content;
    if (isId(id) && blob !== undefined && content.length === 1) {
      found.push({ id, sealed: await indexed.loadBlob('data', blob, signal) });
    }
  }
  return found;
}

async function saveTree(
  repository: Repository,
  forgotten: readonly SealedSnapshot[],
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Id> {
  // Nothing of it can be there already: it need not wait for the repository's index.
  const index = Index.empty();
  const finished: FinishedPack[] = [];
  const compressor = openCompressor();
  try {
    const packer = new Packer({
      key: repository.key,
      table: index.table,
      version: repository.config.version,
      compression: 'auto',
      compressor,
      packSize: repository.packSize,
      deliver: (pack) => finished.push(pack),
      recycled: () => undefined,
    });
    const save = (type: BlobType, content: Uint8Array) => idFromBytes(packer.save(type, content).id);
    const files = forgotten
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map(({ id, sealed }) =>
        node(id, clock, { type: 'file', size: sealed.length, content: [save('data', sealed)] }),
      );
    let tree = save('tree', encodeTree(files));
    for (const name of PLACE.toReversed()) {
      tree = save('tree', encodeTree([node(name, clock, { type: 'dir', mode: 0o700, subtree: tree })]));
    }
    packer.flush();
    const sink = new PackSink(repository, index, clock, Promise.resolve());
    for (const pack of finished) await sink.add(pack, signal);
    await sink.saveIndex(signal);
    return tree;
  } finally {
    compressor.close();
  }
}

function node(name: string, clock: Clock, changes: Pick<Node, 'type'> & Partial<Node>): Node {
  const time = BigInt(clock.now()) * 1_000_000n;
  return {
    name: Buffer.from(name),
    mode: 0o600,
    mtime: time,
    atime: time,
    ctime: time,
    uid: 0,
    gid: 0,
    user: '',
    group: '',
    inode: 0n,
    deviceId: 0n,
    size: 0,
    links: 1,
    extendedAttributes: [],
    device: 0n,
    ...changes,
  };
}
