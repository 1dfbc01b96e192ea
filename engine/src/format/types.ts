import type { Id } from '../kernel/id.ts';

/** What a blob holds: a piece of a file, or a directory's tree. */
export type BlobType = 'data' | 'tree';

/**
 * The keys everything in a repository is sealed with (restic design, "Keys, Encryption and MAC"):
 * AES-256-CTR with `encrypt` (32 bytes), Poly1305-AES with `macK` (16 bytes, for AES-128) and `macR` (16 bytes, clamped).
 */
export interface MasterKey {
  readonly encrypt: Uint8Array;
  readonly macK: Uint8Array;
  readonly macR: Uint8Array;
}

/** The repository's config file. */
export interface RepositoryConfig {
  readonly version: 1 | 2;
  /** 64 hexadecimal digits, random at init. */
  readonly id: string;
  /** An irreducible polynomial over GF(2) of degree 53, as hexadecimal digits. */
  readonly chunkerPolynomial: string;
}

/** One blob inside a pack file. Lengths and offsets in bytes of the pack. */
export interface PackedBlob {
  readonly type: BlobType;
  readonly id: Id;
  readonly offset: number;
  /** Sealed length: 16 bytes IV + ciphertext + 16 bytes MAC. */
  readonly length: number;
  /** Length of the plaintext before compression; 0 when the blob is stored uncompressed. */
  readonly uncompressedLength: number;
}

/** One pack as an index file tells it. */
export interface IndexedPack {
  readonly id: Id;
  readonly blobs: readonly PackedBlob[];
}

/** `irregular` is whatever is none of the others: restic writes it where it could not save the thing itself. */
export type NodeType = 'file' | 'dir' | 'symlink' | 'dev' | 'chardev' | 'fifo' | 'socket' | 'irregular';

/**
 * One entry of a tree. Names, link targets and attribute names are bytes (`Buffer`), since Linux names are bytes;
 * times are nanoseconds since the epoch; `mode` is st_mode's lower 12 bits (permissions, setuid, setgid, sticky):
 * the translation to and from Go's FileMode happens in the encoder alone.
 */
export interface Node {
  readonly name: Buffer;
  readonly type: NodeType;
  readonly mode: number;
  readonly mtime: bigint;
  readonly atime: bigint;
  readonly ctime: bigint;
  readonly uid: number;
  readonly gid: number;
  readonly user: string;
  readonly group: string;
  readonly inode: bigint;
  readonly deviceId: bigint;
  /** Bytes; files only, else 0. */
  readonly size: number;
  readonly links: number;
  readonly linkTarget?: Buffer;
  readonly extendedAttributes: readonly ExtendedAttribute[];
  /** st_rdev of a device. */
  readonly device: bigint;
  /** Data blobs in order; files only. */
  readonly content?: readonly Id[];
  /** Tree blob of a directory. */
  readonly subtree?: Id;
  /** restic's note that reading this node's metadata failed when it was saved. */
  readonly error?: string;
  /** Fields that other programs wrote and we do not know (restic's generic_attributes, …): kept when rewritten. */
  readonly unknown?: Readonly<Record<string, unknown>>;
}

export interface ExtendedAttribute {
  readonly name: Buffer;
  readonly value: Buffer;
}

export interface Tree {
  readonly nodes: readonly Node[];
}

/** A snapshot as people know it: a tree taken at a moment. */
export interface Snapshot {
  /** RFC 3339 with up to nine digits of fraction and an offset, exactly as it stands in the file. */
  readonly time: string;
  readonly parent?: Id;
  readonly tree: Id;
  readonly paths: readonly string[];
  readonly hostname: string;
  readonly username: string;
  readonly uid: number;
  readonly gid: number;
  readonly excludes: readonly string[];
  readonly tags: readonly string[];
  readonly original?: Id;
  readonly programVersion?: string;
  readonly summary?: SnapshotSummary;
}

/** A snapshot with its id: what listing returns. */
export interface StoredSnapshot extends Snapshot {
  readonly id: Id;
}

/** restic 0.17+ keeps these figures with each snapshot; names as there (snake_case in the file). */
export interface SnapshotSummary {
  readonly backupStart: string;
  readonly backupEnd: string;
  readonly filesNew: number;
  readonly filesChanged: number;
  readonly filesUnmodified: number;
  readonly dirsNew: number;
  readonly dirsChanged: number;
  readonly dirsUnmodified: number;
  readonly dataBlobs: number;
  readonly treeBlobs: number;
  readonly dataAdded: number;
  readonly dataAddedPacked: number;
  readonly totalFilesProcessed: number;
  readonly totalBytesProcessed: number;
}

export interface LockFile {
  readonly time: string;
  readonly exclusive: boolean;
  readonly hostname: string;
  readonly username: string;
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}
