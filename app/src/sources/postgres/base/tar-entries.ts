import { Failure } from '@holdfast/engine';
import { ByteSource } from './byte-source.ts';

/** One entry of a tar stream. Its content must be read before the next entry; what is left is skipped. */
export interface TarEntry {
  /** Below the archive's root, with slashes; never absolute, never with `..`. */
  readonly path: string;
  readonly type: 'file' | 'dir' | 'symlink';
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly user: string;
  readonly group: string;
  /** Seconds since the epoch. */
  readonly mtime: number;
  /** Bytes; 0 unless it is a file. */
  readonly size: number;
  readonly linkTarget: string;
  /** Each buffer is there only until the next is asked for. */
  readonly content: AsyncIterable<Buffer>;
}

const BLOCK = 512;

/**
 * The entries of a tar stream as PostgreSQL writes it: ustar with names of up to 99 bytes and sizes in octal or, from
 * 8 GiB, in base 256. Memory is one piece of the stream. Servers up to 14 leave out the two zero blocks at the end.
 *
 *     offset  0 name (100)   100 mode (8)   108 uid (8)   116 gid (8)   124 size (12)   136 mtime (12)
 *           148 checksum (8) 156 type (1)   157 link (100)  257 magic   265 user (32)   297 group (32)   345 prefix (155)
 */
export async function* tarEntries(stream: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const source = new ByteSource(stream);
  for (;;) {
    const header = await source.take(BLOCK);
    if (header === undefined) return;
    if (isZero(header)) {
      await source.drain();
      return;
    }
    const entry = readHeader(header);
    let left = entry.size;
    const content = (async function* () {
      while (left > 0) {
        const piece = await source.some(left);
        left -= piece.length;
        yield piece;
      }
    })();
    yield { ...entry, content };
    while (left > 0) left -= (await source.some(left)).length;
    await source.take(padding(entry.size));
  }
}

function readHeader(header: Buffer): Omit<TarEntry, 'content'> {
  checkSum(header);
  const prefix = text(header, 345, 155);
  const name = text(header, 0, 100);
  const type = types[String.fromCharCode(header[156] ?? 0)];
  const path = safePath(prefix === '' ? name : `${prefix}/${name}`);
  if (type === undefined) throw damaged(`${path} is of a type that no base backup has`);
  return {
    path,
    type,
    mode: number(header, 100, 8) & 0o7777,
    uid: number(header, 108, 8),
    gid: number(header, 116, 8),
    size: type === 'file' ? number(header, 124, 12) : 0,
    mtime: number(header, 136, 12),
    linkTarget: text(header, 157, 100),
    user: text(header, 265, 32),
    group: text(header, 297, 32),
  };
}

const types: Readonly<Record<string, TarEntry['type']>> = {
  '0': 'file',
  '\0': 'file',
  '2': 'symlink',
  '5': 'dir',
};

function checkSum(header: Buffer): void {
  let sum = 0;
  for (let at = 0; at < BLOCK; at++) sum += at >= 148 && at < 156 ? 32 : (header[at] ?? 0);
  if (sum !== number(header, 148, 8)) throw damaged('a header does not have the sum that it names');
}

/** A server that is not what it seems must not lead a restore out of its target. */
function safePath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (path.startsWith('/') || parts.includes('..'))
    throw damaged(`the name "${path}" leads out of the data directory`);
  return parts.join('/');
}

function text(header: Buffer, at: number, length: number): string {
  const field = header.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}

function number(header: Buffer, at: number, length: number): number {
  const first = header[at] ?? 0;
  if ((first & 0x80) === 0) {
    const digits = text(header, at, length).trim();
    return digits === '' ? 0 : Number.parseInt(digits, 8);
  }
  // Base 256: the highest bit of the first byte is the mark, the rest a big-endian number.
  let value = first & 0x7f;
  for (let next = at + 1; next < at + length; next++) value = value * 256 + (header[next] ?? 0);
  return value;
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

function damaged(what: string): Failure {
  return new Failure('source.unreadable', `the server's archive cannot be understood: ${what}`);
}
