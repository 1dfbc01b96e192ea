import { type Cipheriv, createCipheriv, randomFillSync } from 'node:crypto';
import type { CompressionMode } from '../format/compression.ts';
import type { Compressor } from '../format/compressor.ts';
import { COMPRESSED_ENTRY_LENGTH, encodeHeader, MOST_BLOBS, TRAILER_LENGTH } from '../format/pack.ts';
import { Authenticator, SEAL_OVERHEAD } from '../format/sealing.ts';
import type { BlobType, MasterKey, PackedBlob } from '../format/types.ts';
import { sha256, sha256Id } from '../kernel/hash.ts';
import type { Id } from '../kernel/id.ts';
import type { BlobTable } from './blob-table.ts';

/** A pack that is ready to be saved. `bytes` may be transferred; `buffer` is what to give back for the next one. */
export interface FinishedPack {
  readonly id: Id;
  readonly type: BlobType;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Four numbers a blob: entry in the blob table, offset, sealed length, uncompressed length. */
  readonly layout: Uint32Array<ArrayBuffer>;
}

export interface PackerOptions {
  readonly key: MasterKey;
  readonly table: BlobTable;
  readonly version: 1 | 2;
  readonly compression: CompressionMode;
  readonly compressor: Compressor;
  /** A pack is finished as soon as it is at least this large, in bytes. */
  readonly packSize: number;
  /** Takes a finished pack away. May block until there is room for one more. */
  readonly deliver: (pack: FinishedPack) => void;
  /** An empty buffer to build the next pack in: one that was delivered and came back, if there is any. */
  readonly recycled: () => ArrayBuffer | undefined;
}

/** What saving a blob did: `added` is 0 when the repository had it already. Sizes in bytes. */
export interface SavedBlob {
  /** 32 raw bytes. */
  readonly id: Buffer;
  readonly added: number;
  readonly packed: number;
}

/**
 * The pipeline of one thread behind the chunker: hash, deduplicate, compress, seal, pack. Synchronous, since a worker
 * does nothing else. Data and trees go into packs of their own, so that trees can be cached and kept apart.
 */
export class Packer {
  readonly #options: PackerOptions;
  readonly #builders: { readonly data: PackBuilder; readonly tree: PackBuilder };

  constructor(options: PackerOptions) {
    this.#options = options;
    const authenticator = new Authenticator(options.key);
    this.#builders = {
      data: new PackBuilder('data', options, authenticator),
      tree: new PackBuilder('tree', options, authenticator),
    };
  }

  /** `id` for a plaintext that was hashed already. */
  save(type: BlobType, plaintext: Uint8Array, id: Buffer = sha256(plaintext)): SavedBlob {
    const entry = this.#options.table.claim(type, id);
    if (entry < 0) return { id, added: 0, packed: 0 };
    const { version, compression, compressor } = this.#options;
    const compressed = version === 1 ? undefined : compressor.compressBlob(type, plaintext, compression);
    const packed = this.#builders[type].add(
      entry,
      id,
      compressed ?? plaintext,
      compressed ? plaintext.length : 0,
    );
    return { id, added: plaintext.length, packed };
  }

  /**
   * Packs a blob as it was stored elsewhere: compressed, or not when `uncompressedLength` is 0. The caller has
   * verified that this is the content of `id`. It is sealed anew, so its nonce is as fresh as any.
   */
  saveStored(type: BlobType, id: Uint8Array, stored: Uint8Array, uncompressedLength: number): void {
    const entry = this.#options.table.claim(type, id);
    if (entry >= 0) this.#builders[type].add(entry, id, stored, uncompressedLength);
  }

  /** Finishes what is begun. */
  flush(): void {
    this.#builders.data.finish();
    this.#builders.tree.finish();
  }
}

/**
 * Builds one pack after another.
 *
 *     blob: IV (16) │ ciphertext │ MAC (16)   …   header, sealed the same way │ its sealed length (u32 LE)
 *
 * One AES-CTR stream serves a whole pack, since making a cipher costs as much as encrypting 50 KiB: each blob starts
 * at the next 16-byte block of it, and its IV is the stream's counter there. A pack's stream starts at a random
 * 128-bit counter, so no counter block is ever used twice, and Poly1305-AES gets the unique nonce it needs.
 */
class PackBuilder {
  readonly #type: BlobType;
  readonly #options: PackerOptions;
  readonly #authenticator: Authenticator;
  #pack: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #length = 0;
  #blobs: PackedBlob[] = [];
  #entries: number[] = [];
  #cipher: Cipheriv | undefined;
  readonly #counter = new Uint8Array(16);

  constructor(type: BlobType, options: PackerOptions, authenticator: Authenticator) {
    this.#type = type;
    this.#options = options;
    this.#authenticator = authenticator;
  }

  /** Returns the bytes that the blob takes in the pack, its header entry included. */
  add(entry: number, id: Uint8Array, content: Uint8Array, uncompressedLength: number): number {
    const offset = this.#length;
    const length = content.length + SEAL_OVERHEAD;
    this.#seal(content);
    const hex = Buffer.from(id.buffer, id.byteOffset, 32).toString('hex') as Id;
    this.#blobs.push({ type: this.#type, id: hex, offset, length, uncompressedLength });
    this.#entries.push(entry);
    const packLength = this.#length + this.#blobs.length * COMPRESSED_ENTRY_LENGTH;
    if (packLength >= this.#options.packSize || this.#blobs.length === MOST_BLOBS) this.finish();
    return length + COMPRESSED_ENTRY_LENGTH;
  }

  finish(): void {
    if (this.#blobs.length === 0) return;
    this.#seal(encodeHeader(this.#blobs));
    const last = this.#blobs.at(-1) as PackedBlob;
    const headerLength = this.#length - (last.offset + last.length);
    this.#makeRoom(TRAILER_LENGTH);
    new DataView(this.#pack.buffer).setUint32(this.#length, headerLength, true);
    this.#length += TRAILER_LENGTH;

    const bytes = this.#pack.subarray(0, this.#length);
    const layout = new Uint32Array(this.#blobs.length * 4);
    this.#blobs.forEach((blob, index) => {
      layout.set(
        [this.#entries[index] as number, blob.offset, blob.length, blob.uncompressedLength],
        index * 4,
      );
    });
    const pack = { id: sha256Id(bytes), type: this.#type, bytes, layout };
    this.#pack = new Uint8Array(0);
    this.#length = 0;
    this.#blobs = [];
    this.#entries = [];
    this.#cipher = undefined;
    this.#options.deliver(pack);
  }

  #seal(content: Uint8Array): void {
    this.#makeRoom(content.length + SEAL_OVERHEAD);
    this.#cipher ??= this.#startStream();
    const start = this.#length;
    const nonce = this.#pack.subarray(start, start + 16);
    nonce.set(this.#counter);
    let at = start + 16;
    for (let from = 0; from < content.length; from += CIPHER_PIECE) {
      const piece = this.#cipher.update(content.subarray(from, from + CIPHER_PIECE));
      this.#pack.set(piece, at);
      at += piece.length;
      // Large outputs are given back at once: waiting for the garbage collector would cost their weight in memory.
      if (piece.length >= CIPHER_PIECE) piece.buffer.transfer(0);
    }
    const rest = content.length % 16;
    if (rest !== 0) this.#cipher.update(PADDING.subarray(rest));
    advance(this.#counter, Math.ceil(content.length / 16));
    this.#pack.set(this.#authenticator.mac(nonce, this.#pack.subarray(start + 16, at)), at);
    this.#length = at + 16;
  }

  #startStream(): Cipheriv {
    randomFillSync(this.#counter);
    return createCipheriv('aes-256-ctr', this.#options.key.encrypt, this.#counter);
  }

  #makeRoom(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#pack.length) return;
    if (this.#pack.length === 0) {
      const buffer = this.#options.recycled();
      if (buffer !== undefined && buffer.byteLength >= needed) {
        this.#pack = new Uint8Array(buffer);
        return;
      }
    }
    const next =
      this.#pack.length < LAST_DOUBLED ? this.#pack.length * 2 : this.#options.packSize + LARGEST_BLOB;
    const larger = new Uint8Array(Math.max(needed, next, FIRST_CAPACITY));
    larger.set(this.#pack.subarray(0, this.#length));
    this.#pack = larger;
  }
}

/** As with restic. */
export const USUAL_PACK_BYTES = 16 * 1024 * 1024;

const CIPHER_PIECE = 128 * 1024;
/** A pack's buffer doubles from the first capacity to the last doubled one, then it gets its final size at once. */
const FIRST_CAPACITY = 1024 * 1024;
const LAST_DOUBLED = 4 * 1024 * 1024;
const LARGEST_BLOB = 9 * 1024 * 1024;
const PADDING = new Uint8Array(16);

/** Adds `blocks` to a 128-bit big-endian counter, as AES-CTR counts. */
function advance(counter: Uint8Array, blocks: number): void {
  let carry = blocks;
  for (let index = 15; index >= 0 && carry > 0; index -= 1) {
    carry += counter[index] as number;
    counter[index] = carry % 256;
    carry = Math.floor(carry / 256);
  }
}
