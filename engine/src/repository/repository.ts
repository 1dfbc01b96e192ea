import type { Backend, Handle } from '../backend/backend.ts';
import type { CompressionMode } from '../format/compression.ts';
import { decodeUnpacked, encodeUnpacked } from '../format/compression.ts';
import { Sealer } from '../format/sealing.ts';
import { decodeSnapshot, encodeSnapshot } from '../format/snapshot.ts';
import type { MasterKey, RepositoryConfig, Snapshot, StoredSnapshot } from '../format/types.ts';
import { mapConcurrently } from '../kernel/concurrency.ts';
import { Failure, isFailure } from '../kernel/failure.ts';
import { sha256Id } from '../kernel/hash.ts';
import { type Id, isId } from '../kernel/id.ts';
import { loadIndex } from './index-load/load-index.ts';
import { IndexedRepository } from './indexed-repository.ts';
import type { LocalCache } from './local-cache.ts';

/**
 * A repository whose key is known. Small sealed files (snapshots, index, locks) can be read and written; blobs cannot
 * be, before the index is loaded: that is what `IndexedRepository` is for.
 */
export class Repository {
  readonly backend: Backend;
  readonly config: RepositoryConfig;
  readonly key: MasterKey;
  /** For this thread. */
  readonly sealer: Sealer;
  /** The key file that the password opened. */
  readonly keyId: Id;
  /** Where this machine keeps what it has made of the repository's files; absent when nothing is to be kept. */
  readonly localCache: LocalCache | undefined;

  constructor(parts: {
    readonly backend: Backend;
    readonly config: RepositoryConfig;
    readonly key: MasterKey;
    readonly keyId: Id;
    readonly localCache?: LocalCache | undefined;
  }) {
    this.backend = parts.backend;
    this.config = parts.config;
    this.key = parts.key;
    this.sealer = new Sealer(parts.key);
    this.keyId = parts.keyId;
    this.localCache = parts.localCache;
  }

  /** The same repository through something in front of its backend. */
  behind(wrap: (backend: Backend) => Backend): Repository {
    const { config, key, keyId, localCache } = this;
    return new Repository({ backend: wrap(this.backend), config, key, keyId, localCache });
  }

  /** The same repository with a place for what this machine makes of it. */
  cachedIn(localCache: LocalCache): Repository {
    const { backend, config, key, keyId } = this;
    return new Repository({ backend, config, key, keyId, localCache });
  }

  /**
   * The plaintext of a sealed file, decompressed. The file's name is the hash of its bytes; a mismatch is
   * `repository.damaged`, like a wrong MAC.
   */
  async loadFile(handle: Handle, signal?: AbortSignal): Promise<Buffer> {
    const sealed = await this.backend.load(handle, undefined, signal);
    const describe = `${handle.type} ${handle.name.slice(0, 8)}`;
    if (handle.type !== 'config' && sha256Id(sealed) !== handle.name) {
      throw new Failure('repository.damaged', `${describe} does not have the content that its name says`, {
        subject: `${this.backend.location}: ${handle.type} ${handle.name}`,
        hint: 'holdfast repo check shows what else is damaged and what depends on it',
      });
    }
    const plaintext = this.sealer.open(sealed);
    return handle.type === 'config' ? plaintext : decodeUnpacked(plaintext);
  }

  /** Seals and saves `json`, durably; returns its name. */
  async saveFile(type: 'snapshot' | 'index' | 'lock', json: Uint8Array, signal?: AbortSignal): Promise<Id> {
    // restic compresses the unpacked files of a version 2 repository whatever is said about data.
    const mode: CompressionMode = 'auto';
    const sealed = this.sealer.seal(encodeUnpacked(this.config.version, json, mode));
    const id = sha256Id(sealed);
    await this.backend.save({ type, name: id }, sealed, signal);
    return id;
  }

  async loadSnapshot(id: Id, signal?: AbortSignal): Promise<StoredSnapshot> {
    return { ...decodeSnapshot(await this.loadFile({ type: 'snapshot', name: id }, signal)), id };
  }

  /** A snapshot from the bytes of its file; undefined when it was damaged before it came to lie elsewhere. */
  openSnapshot(id: Id, sealed: Uint8Array): StoredSnapshot | undefined {
    try {
      return { ...decodeSnapshot(decodeUnpacked(this.sealer.open(sealed))), id };
    } catch (error) {
      if (isFailure(error, 'repository.damaged')) return undefined;
      throw error;
    }
  }

  async saveSnapshot(snapshot: Snapshot, signal?: AbortSignal): Promise<Id> {
    return await this.saveFile('snapshot', encodeSnapshot(snapshot), signal);
  }

  /** All snapshots, oldest first. One that cannot be read fails the call and is named, unless somebody hears of it. */
  async loadSnapshots(
    signal?: AbortSignal,
    onDamaged: (id: Id, failure: Failure) => void = (_, failure) => {
      throw failure;
    },
  ): Promise<StoredSnapshot[]> {
    const found = await mapConcurrently(
      this.#ids('snapshot', signal),
      this.backend.connections,
      async (id) => {
        try {
          return await this.loadSnapshot(id, signal);
        } catch (error) {
          if (!isFailure(error, 'repository.damaged')) throw error;
          onDamaged(id, error);
          return undefined;
        }
      },
    );
    return found
      .filter((snapshot) => snapshot !== undefined)
      .sort((a, b) => Date.parse(a.time) - Date.parse(b.time) || (a.id < b.id ? -1 : 1));
  }

  /** Reads the whole index; what comes back can read and write blobs. */
  async loadIndex(signal?: AbortSignal): Promise<IndexedRepository> {
    return new IndexedRepository(this, await loadIndex(this, { signal, cache: this.localCache }));
  }

  /** The index for whoever writes nothing: packs that are marked for deletion can still be read. */
  async loadIndexToRead(signal?: AbortSignal): Promise<IndexedRepository> {
    const indexed = await this.loadIndex(signal);
    indexed.index.countMarked();
    return indexed;
  }

  async *#ids(type: 'snapshot', signal?: AbortSignal): AsyncIterable<Id> {
    for await (const { name } of this.backend.list(type, signal)) if (isId(name)) yield name;
  }
}
