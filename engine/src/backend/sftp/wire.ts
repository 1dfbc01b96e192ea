import { SftpError, STATUS } from './status.ts';

/*
 * SFTP version 3 as bytes (draft-ietf-secsh-filexfer-02). Every packet is
 *
 *     uint32 length of what follows | byte type | uint32 id | fields of that type
 *
 * but for the first of each side, which has a version in the id's place. Numbers are big-endian; a string is a uint32
 * length and its bytes.
 */

export const TYPE = {
  init: 1,
  version: 2,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  stat: 17,
  rename: 18,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attributes: 105,
  extended: 200,
  extendedReply: 201,
} as const;

export const OPEN_FLAGS = { read: 0x01, write: 0x02, create: 0x08, exclusive: 0x20 } as const;

/** Fields one after the other: a number is a uint32, a bigint a uint64, the rest are strings. */
export function fields(...values: readonly (number | bigint | string | Uint8Array)[]): Buffer {
  return Buffer.concat(values.flatMap(fieldOf));
}

function fieldOf(value: number | bigint | string | Uint8Array): Uint8Array[] {
  if (typeof value === 'number') return [uint32(value)];
  if (typeof value === 'bigint') {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigUInt64BE(value);
    return [bytes];
  }
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return [uint32(bytes.length), bytes];
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Attributes that only say the permission bits; without a mode, none. */
export function attributes(mode?: number): number[] {
  return mode === undefined ? [0] : [ATTRIBUTE.permissions, mode];
}

/** What a server says about a file; it may leave out any of it. */
export interface Attributes {
  readonly size?: number;
  /** With the bits of the file type (POSIX). */
  readonly mode?: number;
  /** Milliseconds since the epoch, by the server's clock. */
  readonly modified?: number;
}

const ATTRIBUTE = {
  size: 0x01,
  owner: 0x02,
  permissions: 0x04,
  times: 0x08,
  extended: 0x8000_0000,
} as const;

/** Takes fields off an answer in their order. Throws a bad-message `SftpError` where it ends too soon. */
export class FieldReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    return this.#take(1).readUInt8();
  }

  uint32(): number {
    return this.#take(4).readUInt32BE();
  }

  /** Sizes and counts, which beyond 2^53 are none. */
  uint64(): number {
    return Number(this.#take(8).readBigUInt64BE());
  }

  /** A view, not a copy. */
  string(): Buffer {
    return this.#take(this.uint32());
  }

  text(): string {
    return this.string().toString();
  }

  attributes(): Attributes {
    const flags = this.uint32();
    const has = (flag: number) => (flags & flag) !== 0;
    const size = has(ATTRIBUTE.size) ? { size: this.uint64() } : {};
    if (has(ATTRIBUTE.owner)) this.#take(8);
    const mode = has(ATTRIBUTE.permissions) ? { mode: this.uint32() } : {};
    if (has(ATTRIBUTE.times)) this.#take(4); // of the last access
    const times = has(ATTRIBUTE.times) ? { modified: this.uint32() * 1000 } : {};
    if (has(ATTRIBUTE.extended)) {
      for (let left = this.uint32(); left > 0; left--) {
        this.string();
        this.string();
      }
    }
    return { ...size, ...mode, ...times };
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new SftpError(STATUS.badMessage, 'an answer ends too soon');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
