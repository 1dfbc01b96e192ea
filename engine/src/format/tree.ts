import { Failure } from '../kernel/failure.ts';
import { listField, parseRecord } from './json-shape.ts';
import { decodeNode, encodeNode, protectLargeNumbers } from './node.ts';
import type { Node, Tree } from './types.ts';

/*
 * A tree blob is `{"nodes":[…]}` and a newline. Its nodes are sorted by the bytes of their names, each name once:
 * that makes equal directories equal blobs, and restic refuses what is not so.
 */

/** The content of a tree blob. The nodes may come in any order, but no name twice. */
export function encodeTree(nodes: readonly Node[]): Buffer {
  return joinNodes(sortByName(nodes).map(encodeNode));
}

/** A tree blob of nodes that are encoded and in order already. */
export function joinNodes(encoded: readonly string[]): Buffer {
  return Buffer.from(`{"nodes":[${encoded.join()}]}\n`);
}

/**
 * Reads a tree blob, in the order that it has. Hostile names come as they are, for a check to report and a restore to
 * refuse (`isSafeName`, `duplicateNames`); what is no tree is `repository.damaged`.
 */
export function decodeTree(content: Uint8Array): Tree {
  const record = parseRecord(content, 'the tree', protectLargeNumbers);
  return { nodes: listField(record, 'nodes').map(decodeNode) };
}

/** Whether a name can be an entry of a directory, and leads nowhere else. */
export function isSafeName(name: Uint8Array): boolean {
  const dots = name.length <= 2 && name.every((byte) => byte === DOT);
  return !dots && !name.includes(SLASH) && !name.includes(NUL);
}

/** The names that more than one node has. */
export function duplicateNames(nodes: readonly Node[]): Buffer[] {
  const seen = new Set<string>();
  const duplicates = new Map<string, Buffer>();
  for (const { name } of nodes) {
    const key = name.toString('latin1');
    if (seen.has(key)) {
      duplicates.set(key, name);
    }
    seen.add(key);
  }
  return [...duplicates.values()];
}

/** By bytes, as Go compares strings. */
export function compareNames(a: Pick<Node, 'name'>, b: Pick<Node, 'name'>): number {
  return Buffer.compare(a.name, b.name);
}

const NUL = 0x00;
const DOT = 0x2e;
const SLASH = 0x2f;

function sortByName(nodes: readonly Node[]): Node[] {
  const sorted = nodes.toSorted(compareNames);
  for (const [at, node] of sorted.entries()) {
    const next = sorted[at + 1];
    if (next !== undefined && compareNames(node, next) === 0) {
      throw new Failure(
        'internal',
        `A tree would have the name ${JSON.stringify(node.name.toString())} twice.`,
      );
    }
  }
  return sorted;
}
