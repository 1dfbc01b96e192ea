import type { Node, NodeType } from '../../format/types.ts';

/**
 * What happens to what is in the target already (restic manual, "Restoring in-place"):
 * `always` compares contents and writes what differs; `if-changed` believes a file of equal size and time; `if-newer`
 * overwrites what is older than the snapshot's; `never` leaves everything that is there.
 */
export type Overwrite = 'always' | 'if-changed' | 'if-newer' | 'never';

/** Something in the target, as lstat tells it. */
export interface Found {
  readonly type: NodeType | undefined;
  /** Bytes. */
  readonly size: number;
  /** Nanoseconds. */
  readonly mtime: bigint;
}

/**
 * `keep`: leave it alone. `replace`: remove it, then as if it had not been there. `compare`: write what differs in
 * content. `trust`: its content is right, only its attributes are set.
 */
export type Verdict = 'keep' | 'replace' | 'compare' | 'trust';

export function decideOverwrite(
  node: Pick<Node, 'type' | 'mtime' | 'size'>,
  found: Found,
  rule: Overwrite,
): Verdict {
  if (rule === 'never') return 'keep';
  if (rule === 'if-newer' && found.mtime >= node.mtime) return 'keep';
  if (found.type !== node.type) return 'replace';
  if (node.type === 'dir') return 'trust';
  if (node.type !== 'file') return 'replace';
  const alike = found.size === node.size && found.mtime === node.mtime;
  return rule === 'if-changed' && alike ? 'trust' : 'compare';
}
