import { isUtf8 } from 'node:buffer';
import type { PaxRecord, TarEntry, TarType } from './tar-entry.ts';

/*
 * POSIX.1-2001 (pax): a ustar header, and before it, where the header cannot say all, an entry of type x with records.
 *
 *   offset  0    100   108   116   124    136    148     156   157    257    263  265    297    329   337   345     500
 *           name mode  uid   gid   size   mtime  chksum  type  link   ustar  00   uname  gname  major minor prefix
 *   length  100  8     8     8     12     12     8       1     100    6      2    32     32     8     8     155     12
 *
 * Numbers are octal digits and a NUL. A record is "LENGTH KEY=VALUE\n", its length in decimal and counting itself.
 */

export const BLOCK = 512;

const TYPE_FLAGS: Readonly<Record<TarType | 'pax', string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  chardev: '3',
  dev: '4',
  dir: '5',
  fifo: '6',
  pax: 'x',
};

const NAME_BYTES = 100;
const ACCOUNT_BYTES = 31;
const MAX_ID = 0o7777777n;
const MAX_SIZE = 0o77777777777n;
const SECOND = 1_000_000_000n;
const PAX_NAME = Buffer.from('PaxHeaders/entry');

/** The blocks that come before an entry's content. */
export function encodeTarHeader(entry: TarEntry): Buffer {
  const records = [...recordsOf(entry), ...(entry.records ?? [])];
  const header = encodeUstar(entry);
  if (records.length === 0) return header;
  const body = Buffer.concat(records.map(encodeRecord));
  const extension = encodeUstar({ ...PAX_ENTRY, size: body.length });
  return Buffer.concat([extension, body, tarPadding(body.length), header]);
}

/** What fills the last block of a content. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** What a tar stream ends with. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * BLOCK);
}

const PAX_ENTRY = {
  name: PAX_NAME,
  type: 'pax',
  mode: 0o644,
  uid: 0,
  gid: 0,
  user: '',
  group: '',
  mtime: 0n,
  atime: 0n,
} as const;

/** What does not fit into the ustar header, or has no place there. */
function recordsOf(entry: TarEntry): PaxRecord[] {
  const records: PaxRecord[] = [];
  const add = (key: string, value: Buffer | string): void => {
    records.push({ key: Buffer.from(key), value: Buffer.from(value) });
  };
  const names = { path: entry.name, linkpath: entry.linkName ?? Buffer.alloc(0) };
  const long = Object.entries(names).filter(([, name]) => needsRecord(name));
  // Records are UTF-8 unless they say otherwise; readers that do not know the word warn and take the bytes as they are.
  if (long.some(([, name]) => !isUtf8(name))) add('hdrcharset', 'BINARY');
  for (const [key, name] of long) add(key, name);
  if (!isAscii(entry.user) || entry.user.length > ACCOUNT_BYTES) add('uname', entry.user);
  if (!isAscii(entry.group) || entry.group.length > ACCOUNT_BYTES) add('gname', entry.group);
  if (BigInt(entry.uid) > MAX_ID) add('uid', String(entry.uid));
  if (BigInt(entry.gid) > MAX_ID) add('gid', String(entry.gid));
  if (BigInt(entry.size) > MAX_SIZE) add('size', String(entry.size));
  add('mtime', formatSeconds(entry.mtime));
  add('atime', formatSeconds(entry.atime));
  return records;
}

/** A name that is no UTF-8 but short stands in the header alone: every tar takes its bytes from there. */
function needsRecord(name: Buffer): boolean {
  return name.length > NAME_BYTES || (isUtf8(name) && name.some((byte) => byte > 0x7f));
}

function encodeRecord({ key, value }: PaxRecord): Buffer {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  // One digit more can make the number one digit longer.
  length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} `), key, EQUALS, value, NEWLINE]);
}

const EQUALS = Buffer.from('=');
const NEWLINE = Buffer.from('\n');

type UstarEntry = Omit<TarEntry, 'type'> & { readonly type: TarType | 'pax' };

function encodeUstar(entry: UstarEntry): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: bigint, at: number, digits: number, max: bigint): void => {
    const bounded = value < 0n || value > max ? 0n : value;
    header.write(bounded.toString(8).padStart(digits, '0'), at, 'latin1');
  };
  const account = (name: string, at: number): void => {
    if (isAscii(name) && name.length <= ACCOUNT_BYTES) header.write(name, at, 'latin1');
  };
  entry.name.copy(header, 0, 0, NAME_BYTES);
  octal(BigInt(entry.mode), 100, 7, MAX_ID);
  octal(BigInt(entry.uid), 108, 7, MAX_ID);
  octal(BigInt(entry.gid), 116, 7, MAX_ID);
  octal(BigInt(entry.size), 124, 11, MAX_SIZE);
  octal(floorSeconds(entry.mtime), 136, 11, MAX_SIZE);
  header.write(TYPE_FLAGS[entry.type], 156, 'latin1');
  entry.linkName?.copy(header, 157, 0, NAME_BYTES);
  header.write('ustar\x0000', 257, 'latin1');
  account(entry.user, 265);
  account(entry.group, 297);
  if (entry.device !== undefined) {
    octal(majorOf(entry.device), 329, 7, MAX_ID);
    octal(minorOf(entry.device), 337, 7, MAX_ID);
  }
  header.write(checksumOf(header), 148, 'latin1');
  return header;
}

/** The sum of all bytes, those of the checksum itself taken as blanks: six digits, NUL, blank. */
function checksumOf(header: Buffer): string {
  let sum = 8 * 0x20;
  for (const byte of header) sum += byte;
  return `${sum.toString(8).padStart(6, '0')}\0 `;
}

/** Linux's dev_t: 12 bits of major, 20 of minor, each in two places. */
function majorOf(device: bigint): bigint {
  return ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
}

function minorOf(device: bigint): bigint {
  return (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
}

function floorSeconds(time: bigint): bigint {
  return time >= 0n ? time / SECOND : -((SECOND - 1n - time) / SECOND);
}

/** Seconds with a fraction, trailing zeros cut: `-1.5` is one and a half seconds before 1970. */
function formatSeconds(time: bigint): string {
  const size = time < 0n ? -time : time;
  const fraction = String(size % SECOND)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${time < 0n ? '-' : ''}${size / SECOND}${fraction === '' ? '' : `.${fraction}`}`;
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}
