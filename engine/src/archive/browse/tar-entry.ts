/** One entry of a tar stream, but for its content. Names are bytes; times nanoseconds since 1970. */
export interface TarEntry {
  readonly name: Buffer;
  readonly type: TarType;
  /** The lower 12 bits of st_mode. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly user: string;
  readonly group: string;
  /** Bytes of content that follow; 0 for all but files. */
  readonly size: number;
  readonly mtime: bigint;
  readonly atime: bigint;
  /** Of a symlink the target, of a hard link the entry that came before. */
  readonly linkName?: Buffer;
  /** st_rdev. */
  readonly device?: bigint;
  /** Further pax records, in order. */
  readonly records?: readonly PaxRecord[];
}

export interface PaxRecord {
  readonly key: Buffer;
  readonly value: Buffer;
}

export type TarType = 'file' | 'hardlink' | 'symlink' | 'chardev' | 'dev' | 'dir' | 'fifo';
