import type { Node } from '../../format/types.ts';
import type { Finding } from '../../kernel/finding.ts';
import type { Id } from '../../kernel/id.ts';
import { printableName } from '../../kernel/printable-name.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { type PathText, pathBytes } from '../filter/path-text.ts';
import type { StreamPiece } from './content-stream.ts';
import { sameIds } from './node-comparison.ts';
import { attributeRecords } from './tar-attributes.ts';
import type { TarEntry } from './tar-entry.ts';
import { encodeTarHeader, tarEnd, tarPadding } from './tar-header.ts';
import { walkTree } from './tree-walk.ts';

export interface TarOptions {
  /** Hears of all that is left out: folders that cannot be read, files whose content is missing, sockets. */
  readonly onProblem: (problem: Finding) => void;
  readonly signal?: AbortSignal;
}

/** What is to be packed: a tree and, unless it is a snapshot's root, the path and node of its folder. */
export interface TarRoot {
  readonly tree: Id;
  readonly folder?: { readonly path: PathText; readonly node: Node };
}

/** A folder and all below it as the pieces of a tar stream. Names are paths inside the snapshot, without the slash. */
export async function* tarPieces(
  indexed: IndexedRepository,
  { tree, folder }: TarRoot,
  { onProblem, signal }: TarOptions,
): AsyncGenerator<StreamPiece, void, undefined> {
  const links = new HardLinks();
  const options = signal === undefined ? {} : { signal };
  if (folder !== undefined) yield encodeTarHeader(folderEntry(folder.path, folder.node));
  for await (const step of walkTree(indexed, tree, { from: folder?.path ?? '', ...options })) {
    if (step.kind === 'problem') onProblem(step.problem);
    if (step.kind !== 'entry') continue;
    const { path, node } = step;
    if (node.type === 'file') {
      yield* filePieces(indexed, { path, node, links, onProblem });
    } else {
      const entry = entryWithoutContent(path, node);
      if (entry === undefined) onProblem(cannotBeSaid(path, node));
      else yield encodeTarHeader(entry);
    }
  }
  yield tarEnd();
}

function* filePieces(
  indexed: IndexedRepository,
  {
    path,
    node,
    links,
    onProblem,
  }: { path: PathText; node: Node; links: HardLinks; onProblem: (problem: Finding) => void },
): Generator<StreamPiece, void, undefined> {
  const first = links.firstOf(node);
  if (first !== undefined) {
    yield encodeTarHeader({ ...commonFields(path, node), type: 'hardlink', linkName: tarName(first) });
    return;
  }
  const content = node.content ?? [];
  // The header promises a length, so all must be known to be there before it is written.
  const sizes = content.map((id) => indexed.index.lengthOf('data', id));
  const missing = sizes.indexOf(undefined);
  if (missing >= 0) {
    onProblem(contentMissing(path, content[missing] as Id));
    return;
  }
  links.remember(path, node);
  const size = sizes.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0);
  yield encodeTarHeader({ ...commonFields(path, node), type: 'file', size });
  for (const blob of content) yield { blob };
  if (size % 512 !== 0) yield tarPadding(size);
}

/** Files of the same inode: the first is written in full, the others name it. */
class HardLinks {
  readonly #first = new Map<string, { readonly path: PathText; readonly content: readonly Id[] }>();

  /** Only for the same content: a file may have changed between the moments at which two of its names were read. */
  firstOf(node: Node): PathText | undefined {
    const known = isLinked(node) ? this.#first.get(inodeOf(node)) : undefined;
    return known !== undefined && sameIds(known.content, node.content) ? known.path : undefined;
  }

  remember(path: PathText, node: Node): void {
    if (isLinked(node)) this.#first.set(inodeOf(node), { path, content: node.content ?? [] });
  }
}

function isLinked(node: Node): boolean {
  return node.links > 1 && node.inode !== 0n;
}

function inodeOf(node: Node): string {
  return `${node.deviceId}:${node.inode}`;
}

function entryWithoutContent(path: PathText, node: Node): TarEntry | undefined {
  switch (node.type) {
    case 'dir':
      return folderEntry(path, node);
    case 'symlink':
      if (node.linkTarget === undefined) return undefined;
      return { ...commonFields(path, node), type: 'symlink', linkName: node.linkTarget };
    case 'dev':
    case 'chardev':
      return { ...commonFields(path, node), type: node.type, device: node.device };
    case 'fifo':
      return { ...commonFields(path, node), type: 'fifo' };
    default:
      return undefined;
  }
}

function folderEntry(path: PathText, node: Node): TarEntry {
  return { ...commonFields(`${path}/`, node), type: 'dir' };
}

function commonFields(path: PathText, node: Node): Omit<TarEntry, 'type'> {
  const { mode, uid, gid, user, group, mtime, atime } = node;
  const records = attributeRecords(node.extendedAttributes);
  return { name: tarName(path), mode, uid, gid, user, group, size: 0, mtime, atime, records };
}

function tarName(path: PathText): Buffer {
  return pathBytes(path).subarray(1);
}

function cannotBeSaid(path: PathText, node: Node): Finding {
  return {
    severity: 'warning',
    code: 'tar.left-out',
    subject: printableName(path),
    message: `A ${node.type} cannot be told in a tar; it was left out.`,
  };
}

function contentMissing(path: PathText, blob: Id): Finding {
  return {
    severity: 'error',
    code: 'blob.missing',
    subject: printableName(path),
    message: `The file was left out: the index has no data blob ${blob}.`,
    hint: 'holdfast repo check names all files that are affected; another snapshot may hold it whole.',
  };
}
