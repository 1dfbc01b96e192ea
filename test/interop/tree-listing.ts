import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { openPosix } from '../../engine/src/kernel/posix/posix.ts';

/** Everything about an entry that a restore has to bring back, as text. */
export interface ListedEntry {
  /** `.`, or with `./` in front; bytes beyond ASCII escaped as in Python. */
  readonly path: string;
  /** As find(1) tells it with %y. */
  readonly type: string;
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  /** Seconds with nine digits of fraction. */
  readonly mtime: string;
  readonly linkTarget: string;
  readonly size: number;
  /** Of a file's content, hexadecimal. */
  readonly sha256: string | undefined;
  readonly attributes: readonly string[];
}

const posix = openPosix();

/** A directory and all that is below it, sorted by path. */
export function listTree(root: string): ListedEntry[] {
  const entries: ListedEntry[] = [describeEntry(Buffer.from(root), '.')];
  const waiting: Buffer[] = [Buffer.from('.')];
  const absolute = (path: Buffer) => Buffer.concat([Buffer.from(`${root}/`), path]);
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    for (const name of readdirSync(absolute(directory), { encoding: 'buffer' })) {
      const path = Buffer.concat([directory, Buffer.from('/'), name]);
      const entry = describeEntry(absolute(path), escapeBytes(path));
      entries.push(entry);
      if (entry.type === 'd') waiting.push(path);
    }
  }
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function describeEntry(file: Buffer, path: string): ListedEntry {
  const stat = lstatSync(file, { bigint: true });
  const type = TYPES.get(Number(stat.mode >> 12n)) ?? '?';
  const names = posix.attributes?.list(file) ?? [];
  return {
    path,
    type,
    mode: (stat.mode & 0o7777n).toString(8),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    // How many names a directory has, and how large it is, is the file system's own affair.
    links: type === 'd' ? 0 : Number(stat.nlink),
    mtime: `${stat.mtimeNs / SECOND}.${String(stat.mtimeNs % SECOND).padStart(9, '0')}`,
    linkTarget: type === 'l' ? escapeBytes(readlinkSync(file, 'buffer')) : '',
    size: type === 'd' ? 0 : Number(stat.size),
    sha256: type === 'f' ? createHash('sha256').update(readFileSync(file)).digest('hex') : undefined,
    attributes: names.map((name) => `${name}=${posix.attributes?.get(file, name)?.toString('hex')}`).sort(),
  };
}

const SECOND = 1_000_000_000n;

/** By the type bits of st_mode. */
const TYPES: ReadonlyMap<number, string> = new Map([
  [0o1, 'p'],
  [0o2, 'c'],
  [0o4, 'd'],
  [0o6, 'b'],
  [0o10, 'f'],
  [0o12, 'l'],
  [0o14, 's'],
]);

export function escapeBytes(bytes: Uint8Array): string {
  return Array.from(
    bytes,
    (byte) => ESCAPED.get(byte) ?? (byte < 0x20 || byte > 0x7e ? hex(byte) : String.fromCharCode(byte)),
  ).join('');
}

const hex = (byte: number) => `\\x${byte.toString(16).padStart(2, '0')}`;

const ESCAPED: ReadonlyMap<number, string> = new Map([
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
  [0x5c, '\\\\'],
]);
