import type { Node } from '../../format/types.ts';
import { Failure } from '../../kernel/failure.ts';
import type { Id } from '../../kernel/id.ts';
import { printableName } from '../../kernel/printable-name.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { folderNames, resolveNode } from '../../repository/snapshot-selection.ts';
import { type PathText, pathBytes } from '../filter/path-text.ts';
import { fetchPieces } from './content-stream.ts';
import { type TarOptions, tarPieces } from './tar-stream.ts';

export interface Dump {
  /** A file's bytes as they were, or a folder as tar. */
  readonly type: 'file' | 'tar';
  /**
   * To be written where it should go, in step with its reader: `await pipeline(bytes, writable)`. Throws when content
   * turns out damaged; what was written until then is not whole.
   */
  readonly bytes: AsyncGenerator<Uint8Array, void, undefined>;
}

/**
 * A file, or a folder with all below it, out of a snapshot's tree. Throws `snapshot.path-not-found`, and `usage` for
 * what is neither.
 */
export async function dumpPath(
  indexed: IndexedRepository,
  tree: Id,
  path: PathText,
  options: TarOptions,
): Promise<Dump> {
  const { signal } = options;
  const names = folderNames(path);
  if (names.length === 0) return tar(indexed, { tree }, options);
  const node = await resolveNode(indexed, tree, names.map(pathBytes), signal);
  if (node.type === 'file') return { type: 'file', bytes: dumpFile(indexed, node, signal) };
  if (node.subtree !== undefined) {
    return tar(indexed, { tree: node.subtree, folder: { path: `/${names.join('/')}`, node } }, options);
  }
  const subject = printableName(path);
  throw new Failure('usage', `${subject} is a ${node.type}: only files and folders can be dumped.`, {
    subject,
    hint: 'Dump the folder that it is in, or restore it.',
  });
}

/** A file's content. */
export function dumpFile(
  indexed: IndexedRepository,
  node: Node,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = (node.content ?? []).map((blob) => ({ blob }));
  return fetchPieces(indexed, pieces, signal);
}

function tar(indexed: IndexedRepository, root: Parameters<typeof tarPieces>[1], options: TarOptions): Dump {
  return { type: 'tar', bytes: fetchPieces(indexed, tarPieces(indexed, root, options), options.signal) };
}
