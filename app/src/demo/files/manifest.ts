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
import type { Posix } from '@holdfast/engine';

/**
 * All that a tree is, taken down so that it can be compared when the tree itself is gone: of each entry its type,
 * permissions, owner, group, size, modification time to the nanosecond, link target, device, which names are one file,
 * extended attributes, and of each file the SHA-256 of its content.
 */
export interface Manifest {
  /** By path below the root, one character a byte, since names need not be text; the root itself is ''. */
  readonly entries: ReadonlyMap<string, Facts>;
  readonly files: number;
  /** Of file contents; names of one file count each. */
  readonly bytes: number;
}

export type Facts = Readonly<Record<string, string>>;

/** `posix` without attributes leaves those out. Rejects when the signal aborts. */
export async function describeTree(root: string, posix: Posix, signal?: AbortSignal): Promise<Manifest> {
  const entries = new Map<string, Facts>();
  const firstNames = new Map<bigint, string>();
  let files = 0;
  let bytes = 0;

  async function visitDirectory(path: string): Promise<void> {
    // Lets a signal come through: all else here is synchronous.
    await new Promise(setImmediate);
    signal?.throwIfAborted();
    const names = readdirSync(placeOf(root, path), 'buffer').map((name) => name.toString('latin1'));
    for (const name of names.sort()) await visit(`${path}/${name}`);
  }

  async function visit(path: string): Promise<void> {
    const place = placeOf(root, path);
    const stats = lstatSync(place, { bigint: true });
    const facts: Record<string, string> = { ...factsOf(stats), attributes: attributesOf(place, posix) };
    entries.set(path, facts);
    if (stats.isDirectory()) return await visitDirectory(path);
    if (stats.nlink > 1n) {
      facts['same file as'] = firstNames.get(stats.ino) ?? path;
      firstNames.set(stats.ino, facts['same file as']);
    }
    if (stats.isSymbolicLink()) facts['link target'] = readlinkSync(place, 'buffer').toString('latin1');
    if (!stats.isFile()) return;
    facts.content = hashOf(place);
    files += 1;
    bytes += Number(stats.size);
  }

  await visit('');
  return { entries, files, bytes };
}

/** A line for each thing that differs; none when the trees are identical. */
export function compareManifests(expected: Manifest, actual: Manifest): string[] {
  const differences: string[] = [];
  for (const [path, facts] of expected.entries) {
    const found = actual.entries.get(path);
    if (found === undefined) differences.push(`${shown(path)}: is missing`);
    else differences.push(...compareFacts(path, facts, found));
  }
  for (const path of actual.entries.keys()) {
    if (!expected.entries.has(path)) differences.push(`${shown(path)}: should not be there`);
  }
  return differences;
}

function compareFacts(path: string, expected: Facts, actual: Facts): string[] {
  const names = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  return [...names]
    .filter((name) => expected[name] !== actual[name])
    .map((name) => `${shown(path)}: ${name} was ${expected[name] ?? 'none'}, is ${actual[name] ?? 'none'}`);
}

function factsOf(stats: BigIntStats): Facts {
  const facts = {
    'type and permissions': stats.mode.toString(8),
    owner: stats.uid.toString(),
    group: stats.gid.toString(),
    'modification time': stats.mtimeNs.toString(),
  };
  if (stats.isDirectory()) return facts;
  const isDevice = stats.isCharacterDevice() || stats.isBlockDevice();
  return {
    ...facts,
    size: stats.size.toString(),
    'number of names': stats.nlink.toString(),
    ...(isDevice ? { device: stats.rdev.toString() } : {}),
  };
}

function attributesOf(place: Buffer, { attributes }: Posix): string {
  if (attributes === undefined) return '';
  return attributes
    .list(place)
    .map((name) => `${name.toString('latin1')}=${attributes.get(place, name)?.toString('hex')}`)
    .sort()
    .join(' ');
}

const PIECE = 1024 * 1024;
const buffer = Buffer.allocUnsafe(PIECE);

function hashOf(place: Buffer): string {
  const hash = createHash('sha256');
  const file = openSync(place, 'r');
  try {
    for (;;) {
      const read = readSync(file, buffer, 0, PIECE, null);
      if (read === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, read));
    }
  } finally {
    closeSync(file);
  }
}

function placeOf(root: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(root), Buffer.from(path, 'latin1')]);
}

function shown(path: string): string {
  return path === '' ? '/' : Buffer.from(path, 'latin1').toString();
}
