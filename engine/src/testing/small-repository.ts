import type { Backend, Handle } from '../backend/backend.ts';
import { type MemoryFiles, openMemory } from '../backend/memory/memory.ts';
import { openCompressor } from '../format/compressor.ts';
import { encodeTree } from '../format/tree.ts';
import type { Node, StoredSnapshot } from '../format/types.ts';
import type { Clock } from '../kernel/clock.ts';
import { Failure } from '../kernel/failure.ts';
import { type Id, idFromBytes } from '../kernel/id.ts';
import { createRepository } from '../repository/open.ts';
import { PackSink } from '../repository/pack-sink.ts';
import { type FinishedPack, Packer } from '../repository/packer.ts';
import { Repository } from '../repository/repository.ts';

/** A directory as a test writes it: contents of files, and directories, by name. */
export interface Files {
  readonly [name: string]: string | Uint8Array | Files;
}

/** Saves blobs into packs; `finish` makes them durable and indexed. */
export interface SmallWriter {
  save(type: 'data' | 'tree', content: Uint8Array): Id;
  saveFiles(files: Files): Id;
  finish(): Promise<void>;
}

/** What one writer of a small repository does differently. */
export interface SmallWriterOptions {
  /** In bytes; by default all data go into one pack, and all trees into another. */
  readonly packSize?: number;
  readonly clock?: Clock;
}

/**
 * A repository in memory, made once and then cloned for each test, since deriving a key takes longer than all else.
 */
export class SmallRepository {
  readonly files: MemoryFiles;
  readonly repository: Repository;

  private constructor(files: MemoryFiles, repository: Repository) {
    this.files = files;
    this.repository = repository;
  }

  static async create(password = 'small', version: 1 | 2 = 2): Promise<SmallRepository> {
    const files: MemoryFiles = new Map();
    const kdf = { N: 2 ** 14, r: 8, p: 1 };
    return new SmallRepository(
      files,
      await createRepository(openMemory({ files }), password, { clock: patientClock, kdf, version }),
    );
  }

  /** The same repository, changed apart from this one. `wrap` puts something in front of its backend. */
  clone(wrap: (backend: Backend) => Backend = (backend) => backend): SmallRepository {
    const files: MemoryFiles = new Map(this.files);
    return new SmallRepository(files, this.#over(wrap(openMemory({ files }))));
  }

  /** The same files behind another backend. */
  behind(wrap: (backend: Backend) => Backend): Repository {
    return this.#over(wrap(openMemory({ files: this.files })));
  }

  async writer(options: SmallWriterOptions = {}): Promise<SmallWriter> {
    const { repository } = this;
    const { index } = await repository.loadIndex();
    const finished: FinishedPack[] = [];
    const compressor = openCompressor();
    const packer = new Packer({
      key: repository.key,
      table: index.table,
      version: repository.config.version,
      compression: 'auto',
      compressor,
      packSize: options.packSize ?? 16 * 1024 * 1024,
      deliver: (pack) => finished.push(pack),
      recycled: () => undefined,
    });
    const save = (type: 'data' | 'tree', content: Uint8Array) => idFromBytes(packer.save(type, content).id);
    const saveFiles = (files: Files): Id => {
      const nodes = Object.entries(files).map(([name, entry]): Node => {
        if (typeof entry !== 'string' && !(entry instanceof Uint8Array)) {
          return node(name, { type: 'dir', subtree: saveFiles(entry) });
        }
        const content = Buffer.from(entry);
        return node(name, {
          size: content.length,
          content: content.length === 0 ? [] : [save('data', content)],
        });
      });
      return save('tree', encodeTree(nodes));
    };
    return {
      save,
      saveFiles,
      finish: async () => {
        packer.flush();
        compressor.close();
        const sink = new PackSink(repository, index, patientClock, Promise.resolve());
        for (const pack of finished) await sink.add(pack);
        await sink.saveIndex();
      },
    };
  }

  /** Backs up: packs, index, then the snapshot. `time` is RFC 3339. */
  async backup(files: Files, time: string, options: SmallWriterOptions = {}): Promise<StoredSnapshot> {
    const writer = await this.writer(options);
    const tree = writer.saveFiles(files);
    await writer.finish();
    return await this.saveSnapshot(tree, time);
  }

  async saveSnapshot(tree: Id, time: string): Promise<StoredSnapshot> {
    const snapshot = {
      time,
      tree,
      paths: ['/small'],
      hostname: 'small',
      username: '',
      uid: 0,
      gid: 0,
      excludes: [],
      tags: [],
    };
    return { ...snapshot, id: await this.repository.saveSnapshot(snapshot) };
  }

  /** Replaces a file's content, as a bad disk does. `change` gets a copy. */
  async damage(handle: Handle, change: (bytes: Uint8Array) => Uint8Array): Promise<void> {
    const { backend } = this.repository;
    const bytes = new Uint8Array(await backend.load(handle));
    await backend.remove(handle);
    await backend.save(handle, change(bytes));
  }

  #over(backend: Backend): Repository {
    const { config, key, keyId } = this.repository;
    return new Repository({ config, key, keyId, backend });
  }
}

/** Flips the lowest bit of the byte at `at`, from the end when negative. */
export function flipBit(at: number): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => {
    const position = at < 0 ? bytes.length + at : at;
    return bytes.map((byte, index) => (index === position ? byte ^ 1 : byte));
  };
}

export function cutOff(bytes: number): (content: Uint8Array) => Uint8Array {
  return (content) => content.slice(0, content.length - bytes);
}

/** A backend as a process sees it that is killed after so many files were saved or removed: nothing works from then on. */
export function killedAfter(writes: number): (backend: Backend) => Backend {
  let left = writes;
  const live = () => {
    if (left < 0) throw new Failure('backend.io', 'killed');
  };
  const write = () => {
    left -= 1;
    live();
  };
  return (backend) => ({
    ...backend,
    async save(...args) {
      write();
      await backend.save(...args);
    },
    async remove(...args) {
      write();
      await backend.remove(...args);
    },
    async load(...args) {
      live();
      return await backend.load(...args);
    },
    async *list(...args) {
      live();
      yield* backend.list(...args);
    },
  });
}

/** Real time, in which a moment passes at once and what takes minutes never ends by itself. */
export const patientClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (milliseconds < 60_000) setImmediate(resolve);
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    }),
};

export function node(name: string, changes: Partial<Node>): Node {
  return {
    name: Buffer.from(name),
    type: 'file',
    mode: 0o644,
    mtime: 0n,
    atime: 0n,
    ctime: 0n,
    uid: 0,
    gid: 0,
    user: '',
    group: '',
    inode: 0n,
    deviceId: 0n,
    size: 0,
    links: 1,
    extendedAttributes: [],
    device: 0n,
    ...changes,
  };
}
