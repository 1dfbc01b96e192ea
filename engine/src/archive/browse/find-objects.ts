import type { BlobType, StoredSnapshot } from '../../format/types.ts';
import { Failure } from '../../kernel/failure.ts';
import type { Id } from '../../kernel/id.ts';
import type { Index } from '../../repository/index.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import type { PathText } from '../filter/path-text.ts';
import { type SearchResult, searchSnapshots } from './snapshot-search.ts';
import type { EntryStep } from './tree-walk.ts';

/** Ids of what is looked for, each in full or its beginning. */
export interface ObjectQuery {
  readonly blobs?: readonly string[];
  readonly trees?: readonly string[];
  /** Whatever lies in these packs. */
  readonly packs?: readonly string[];
}

/** Where a blob is used: a piece of this file, or the tree of this folder. */
export interface FoundObject {
  readonly type: BlobType;
  readonly id: Id;
  readonly path: PathText;
  /** The tree that names it; absent for a snapshot's own. */
  readonly parent?: Id;
  /** The pack that it was looked for in. */
  readonly pack?: Id;
}

/** Finds where blobs, trees and the content of packs are used. An id that nothing begins with is a `usage` failure. */
export async function* findObjects(
  indexed: IndexedRepository,
  snapshots: Iterable<StoredSnapshot>,
  query: ObjectQuery,
  signal?: AbortSignal,
): AsyncGenerator<SearchResult<FoundObject>, void, undefined> {
  const wanted = resolveObjects(indexed.index, query);
  const search = { descend: () => true, inspect: (entry: EntryStep) => objectsOf(entry, wanted) };
  for await (const result of searchSnapshots(indexed, snapshots, search, signal)) {
    const { tree } = result.snapshot;
    const root = wanted.tree.has(tree) ? [found('tree', tree, '/', wanted)] : [];
    yield { ...result, matches: [...root, ...result.matches] };
  }
}

/** What is wanted, and the pack it came from where a pack was named. */
type WantedObjects = Readonly<Record<BlobType, Map<Id, Id | undefined>>>;

function objectsOf({ path, node, parent }: EntryStep, wanted: WantedObjects): FoundObject[] {
  if (node.type === 'dir') {
    const { subtree } = node;
    return subtree !== undefined && wanted.tree.has(subtree)
      ? [{ ...found('tree', subtree, path, wanted), parent }]
      : [];
  }
  if (wanted.data.size === 0 || node.content === undefined) return [];
  const used = new Set(node.content.filter((id) => wanted.data.has(id)));
  return Array.from(used, (id) => ({ ...found('data', id, path, wanted), parent }));
}

function found(type: BlobType, id: Id, path: PathText, wanted: WantedObjects): FoundObject {
  const pack = wanted[type].get(id);
  return { type, id, path, ...(pack === undefined ? {} : { pack }) };
}

/** One pass over the table for all prefixes together: packs and beginnings of ids have no other index. */
function resolveObjects(index: Index, { blobs = [], trees = [], packs = [] }: ObjectQuery): WantedObjects {
  const wanted: WantedObjects = { data: new Map(), tree: new Map() };
  const prefixes = { data: blobs.map(parsePrefix), tree: trees.map(parsePrefix) };
  const packIds = new Set(packs.map(parsePrefix).flatMap((prefix) => packsBeginningWith(index, prefix)));
  const missed = new Set([...prefixes.data, ...prefixes.tree]);

  for (let entry = 0; entry < index.table.size; entry += 1) {
    const type = index.table.typeOf(entry);
    if (packIds.size === 0 && prefixes[type].length === 0) continue;
    const id = index.table.idOf(entry);
    const places = index.lookupAll(type, id);
    if (places.length === 0) continue;
    const pack = places.find((place) => packIds.has(place.pack))?.pack;
    const matching = prefixes[type].filter((prefix) => id.startsWith(prefix));
    if (pack !== undefined || matching.length > 0) wanted[type].set(id, pack);
    for (const prefix of matching) missed.delete(prefix);
  }

  // A full id may be one that the index has lost and snapshots still need: exactly what somebody would look for.
  for (const type of ['data', 'tree'] as const) {
    for (const id of prefixes[type].filter((prefix) => prefix.length === 64)) {
      if (missed.delete(id)) wanted[type].set(id as Id, undefined);
    }
  }
  const [unknown] = missed;
  if (unknown !== undefined) throw nothingBeginsWith(unknown);
  return wanted;
}

function packsBeginningWith(index: Index, prefix: string): Id[] {
  const packs = index.packs.filter((pack) => pack.startsWith(prefix));
  if (packs.length === 0) throw nothingBeginsWith(prefix);
  return packs;
}

function parsePrefix(text: string): string {
  const prefix = text.toLowerCase();
  if (/^[0-9a-f]{1,64}$/.test(prefix)) return prefix;
  throw new Failure('usage', `“${text}” is no id.`, { hint: 'An id is made of the digits 0–9 and a–f.' });
}

function nothingBeginsWith(prefix: string): Failure {
  return new Failure('usage', `The repository's index has nothing with an id that begins with ${prefix}.`, {
    subject: prefix,
    hint: 'Was the right kind of id given: --blob, --tree or --pack?',
  });
}
