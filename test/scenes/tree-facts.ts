import { createHash } from 'node:crypto';
import {
  type BigIntStats,
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import { openPosix } from '../../engine/src/kernel/posix/posix.ts';

/**
 * All that a backup promises to bring back of a tree, one line an entry, so that two trees are compared with one
 * `toEqual` whose difference a person can read. Keys are paths below `root`, one character a byte.
 */
export function treeFacts(root: string): Record<string, string> {
  const facts: Record<string, string> = {};
  const firstNames = new Map<bigint, string>();
  const { attributes } = openPosix();

  function look(path: Buffer, key: string): void {
    const stat = lstatSync(path, { bigint: true });
    const parts = [
      typeOf(stat),
      (stat.mode & 0o7777n).toString(8),
      `${stat.uid}:${stat.gid}`,
      `mtime ${stat.mtimeNs}`,
    ];
    if (stat.isFile()) parts.push(`${stat.size} bytes ${contentHash(path)}`);
    if (stat.isSymbolicLink()) parts.push(`to ${readlinkSync(path, 'latin1')}`);
    if (stat.isCharacterDevice() || stat.isBlockDevice()) parts.push(`device ${stat.rdev}`);
    if (!stat.isDirectory() && stat.nlink > 1n) {
      const first = firstNames.get(stat.ino) ?? key;
      firstNames.set(stat.ino, first);
      parts.push(`linked with ${first}`);
    }
    for (const name of attributes?.list(path).sort(Buffer.compare) ?? []) {
      parts.push(`${name.toString('latin1')}=${attributes?.get(path, name)?.toString('hex')}`);
    }
    facts[key] = parts.join(', ');
    if (!stat.isDirectory()) return;
    for (const name of readdirSync(path, 'latin1').sort()) {
      look(Buffer.concat([path, SLASH, Buffer.from(name, 'latin1')]), `${key}/${name}`);
    }
  }

  look(Buffer.from(root), '');
  return facts;
}

/** What is not as it was, a line an entry; none when both trees are the same. */
export function differences(before: Record<string, string>, after: Record<string, string>): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((key) => before[key] !== after[key])
    .map((key) => `${key}: was ${before[key] ?? 'not there'}, is ${after[key] ?? 'not there'}`);
}

const SLASH = Buffer.from('/');

function typeOf(stat: BigIntStats): string {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  return stat.isFIFO() ? 'fifo' : 'device';
}

function contentHash(path: Buffer): string {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(4 * 1024 * 1024);
  const file = openSync(path, 'r');
  try {
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
      hash.update(buffer.subarray(0, read));
    }
  } finally {
    closeSync(file);
  }
  return hash.digest('hex').slice(0, 16);
}
