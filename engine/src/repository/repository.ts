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
import { USUAL_PACK_BYTES } from './packer.ts';
import { RememberedSnapshots } from './remembered-snapshots.ts';

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
  /** Bytes at which a new pack is finished. */
  readonly packSize: number;
  /** Where this machine keeps what it has made of the repository's files; absent when nothing is to be kept. */
  readonly localCache: LocalCache | undefined;
  readonly #remembered: RememberedSnapshots | undefined;

  constructor(parts: RepositoryParts) {
    this.backend = parts.backend;
    this.config = parts.config;
    this.key = parts.key;
    this.sealer = new Sealer(parts.key);
    this.keyId = parts.keyId;
    this.packSize = parts.packSize ?? USUAL_PACK_BYTES;
    this.localCache = parts.localCache;
    this.#remembered =
      parts.localCache === undefined
        ? undefined
        : new RememberedSnapshots({ ...parts.localCache, repositoryId: parts.config.id });
  }

  /** The same repository through something in front of its backend. */
  behind(wrap: (backend: Backend) => Backend): Repository {
    return new Repository({ ...this.#parts(), backend: wrap(this.backend) });
  }

  /** The same repository as its user wants it on this machine. */
  with(settings: RepositorySettings): Repository {
    return new Repository({ ...this.#parts(), ...settings });
  }

  #parts(): RepositoryParts {
    const { backend, config, key, keyId, packSize, localCache } = this;
    return { backend, config, key, keyId, packSize, localCache };
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
    const found: StoredSnapshot[] = [];
    const read = await mapConcurrently(
      this.#unknownOf(found, signal),
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
    for (const snapshot of read) if (snapshot !== undefined) found.push(snapshot);
    const sorted = oldestFirst(found);
    this.#remembered?.remember(sorted, this.sealer);
    return sorted;
  }

  /** A snapshot that somebody has listed: as it is remembered, else from its file. */
  async recallSnapshot(id: Id, signal?: AbortSignal): Promise<StoredSnapshot> {
    return this.#remembered?.recall(this.sealer).get(id) ?? (await this.loadSnapshot(id, signal));
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

  /** The names of the snapshots that have to be read; those that are remembered are put into `found`. */
  async *#unknownOf(found: StoredSnapshot[], signal?: AbortSignal): AsyncIterable<Id> {
    const known = this.#remembered?.recall(this.sealer);
    for await (const { name } of this.backend.list('snapshot', signal)) {
      if (!isId(name)) continue;
      const snapshot = known?.get(name);
      if (snapshot === undefined) yield name;
      else found.push(snapshot);
    }
  }
}

interface RepositorySettings {
  /** Bytes at which a new pack is finished; 16 MiB unless said, as with restic. */
  readonly packSize?: number | undefined;
  /** Not for whoever checks the repository: files would not be read. */
  readonly localCache?: LocalCache | undefined;
}

interface RepositoryParts extends RepositorySettings {
  readonly backend: Backend;
  readonly config: RepositoryConfig;
  readonly key: MasterKey;
  readonly keyId: Id;
}

/** Equal times in the order of their ids, so that it is one order. */
function oldestFirst(snapshots: readonly StoredSnapshot[]): StoredSnapshot[] {
  return snapshots
    .map((snapshot) => ({ snapshot, time: Date.parse(snapshot.time) }))
    .sort((a, b) => a.time - b.time || (a.snapshot.id < b.snapshot.id ? -1 : 1))
    .map(({ snapshot }) => snapshot);
}
