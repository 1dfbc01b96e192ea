import type { Node, PathText } from '@holdfast/engine';
import { pathText } from '@holdfast/engine';
import type { Entry } from '../cli/render/entries.ts';

/** A node as a list shows it. */
export function entryOf(path: PathText, node: Node): Entry {
  return {
    path,
    type: node.type,
    mode: node.mode,
    user: node.user || node.uid.toString(),
    group: node.group || node.gid.toString(),
    size: node.size,
    modified: Number(node.mtime / 1_000_000n),
    ...(node.linkTarget === undefined ? {} : { linkTarget: pathText(node.linkTarget) }),
  };
}
