import { type BigIntStats, closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Posix } from '@holdfast/engine';

export interface TreeComparison {
  readonly files: number;
  readonly others: number;
  /** Bytes of file contents that were compared. */
  readonly bytes: number;
  /** Paths with what differs; empty when the trees are identical. */
  readonly differences: readonly string[];
}

/**
 * Compares two trees as a suspicious person would: every name, every byte, and of every entry type, permissions, owner,
 * modification time to the nanosecond, link target, number of links and extended attributes.
 */
export function compareTrees(expected: string, actual: string, posix: Posix): TreeComparison {
  const differences: string[] = [];
  let files = 0;
  let others = 0;
  let bytes = 0;

  function visit(relative: string): void {
    const a = lstatSync(join(expected, relative), { bigint: true });
    const b = lstatSync(join(actual, relative), { bigint: true, throwIfNoEntry: false });
    if (b === undefined) {
      differences.push(`${relative}: is missing`);
      return;
    }
    for (const difference of [...compareStats(a, b), ...compareAttributes(relative)]) {
      differences.push(`${relative}: ${difference}`);
    }
    if (a.isDirectory()) return visitEntries(relative);
    if (!a.isFile()) others += 1;
    if (a.isSymbolicLink() && readlinkSync(join(expected, relative)) !== readlinkSync(join(actual, relative))) {
      differences.push(`${relative}: link target`);
    }
    if (a.isFile() && b.isFile()) {
      files += 1;
      bytes += Number(a.size);
      if (!sameContents(join(expected, relative), join(actual, relative))) differences.push(`${relative}: content`);
    }
  }

  function visitEntries(relative: string): void {
    const wanted = readdirSync(join(expected, relative)).sort();
    const found = new Set(readdirSync(join(actual, relative)));
    for (const name of wanted) {
      found.delete(name);
      visit(join(relative, name));
    }
    for (const name of found) differences.push(`${join(relative, name)}: should not be there`);
  }

  function compareAttributes(relative: string): string[] {
    const { attributes } = posix;
    if (attributes === undefined) return [];
    const read = (root: string) => {
      const path = Buffer.from(join(root, relative));
      const values = attributes.list(path).map((name) => [name.toString(), attributes.get(path, name)?.toString('hex')]);
      return JSON.stringify(values.sort());
    };
    return read(expected) === read(actual) ? [] : ['extended attributes'];
  }

  visit('');
  return { files, others, bytes, differences };
}

function compareStats(a: BigIntStats, b: BigIntStats): string[] {
  const facts: [string, bigint, bigint][] = [
    ['type or permissions', a.mode, b.mode],
    ['owner', a.uid, b.uid],
    ['group', a.gid, b.gid],
    ['modification time', a.mtimeNs, b.mtimeNs],
  ];
  if (!a.isDirectory()) facts.push(['size', a.size, b.size], ['number of links', a.nlink, b.nlink]);
  return facts.filter(([, expected, actual]) => expected !== actual).map(([name]) => name);
}

const PIECE = 1024 * 1024;
const left = Buffer.alloc(PIECE);
const right = Buffer.alloc(PIECE);

function sameContents(a: string, b: string): boolean {
  const first = openSync(a, 'r');
  const second = openSync(b, 'r');
  try {
    for (;;) {
      const read = readSync(first, left, 0, PIECE, null);
      if (readSync(second, right, 0, PIECE, null) !== read) return false;
      if (read === 0) return true;
      if (!left.subarray(0, read).equals(right.subarray(0, read))) return false;
    }
  } finally {
    closeSync(first);
    closeSync(second);
  }
}
