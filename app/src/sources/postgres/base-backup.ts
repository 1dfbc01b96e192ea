import {
  type Chunker,
  type Clock,
  type CrewThreads,
  createChunker,
  createFixedChunker,
  describeSnapshot,
  Failure,
  type Repository,
  type SnapshotLabels,
  type StoredSnapshot,
  summarize,
  type WriteAccess,
  WritingSession,
  withWriteLock,
} from '@holdfast/engine';
import { parseManifest } from './base-manifest.ts';
import { BASE_FOLDER, type BaseRecord, RECORD_FILE } from './base-record.ts';
import { type BasePart, baseBackup, type LogPosition } from './base-stream.ts';
import { BaseSums } from './base-sums.ts';
import { type Attributes, BaseTree } from './base-tree.ts';
import { formatLsn } from './lsn.ts';
import { isRewrittenInPlace } from './relation-file.ts';
import { ReplicationSession } from './replication-session.ts';
import { type ServerAddress, serverName } from './server-address.ts';
import { readFacts, type ServerFacts } from './server-facts.ts';
import { tarEntries } from './tar-entries.ts';

export interface BaseBackupOptions {
  readonly address: ServerAddress;
  readonly clock: Clock;
  readonly labels: SnapshotLabels;
  /** `fast` unless said otherwise. */
  readonly checkpoint?: 'fast' | 'spread';
  /** KiB/s that the server sends at most. */
  readonly maxRate?: number;
  readonly compression?: 'auto' | 'off' | 'max';
  readonly threads?: CrewThreads;
  readonly retryLock?: number;
  readonly signal?: AbortSignal;
  readonly onStart?: (watch: BaseWatch) => void;
}

export interface BaseWatch {
  progress(): { readonly files: number; readonly bytes: number; readonly expectedBytes: number | undefined };
}

export interface BaseBackupResult {
  readonly snapshot: StoredSnapshot;
  readonly record: BaseRecord;
  /** Milliseconds. */
  readonly took: number;
}

/**
 * Takes a physical base backup into the repository as one snapshot: the data directory below `/base`, tablespaces below
 * `/base/pg_tblspc/<oid>`, and what has to be known of the server in `/holdfast/server.json`. All WAL that makes it
 * consistent is in it, so that it can be restored alone.
 *
 * Order: repository locked and index loaded, then the server is asked, so that a server never waits for a lock; the
 * temporary slot before BASE_BACKUP, so that no WAL goes that it needs; the snapshot last. Whatever fails in between
 * leaves no snapshot, and on the server nothing: the slot ends with its connection.
 */
export async function backUpBase(
  repository: Repository,
  options: BaseBackupOptions,
): Promise<BaseBackupResult> {
  const { clock, signal } = options;
  const lock = { clock, dryRun: false, retryFor: options.retryLock ?? 0, signal };
  return await withWriteLock(repository, lock, async (access) => {
    // Begun again, work could not have the stream again: nothing is asked for before the lock counts.
    await access.mayWrite;
    const startedAt = clock.now();
    await using session = await ReplicationSession.open(options.address, { signal: access.signal });
    const run = new BaseRun(repository, access, session, options);
    return await run.run(startedAt);
  });
}

class BaseRun {
  readonly #repository: Repository;
  readonly #access: WriteAccess;
  readonly #server: ReplicationSession;
  readonly #options: BaseBackupOptions;
  readonly #writer: WritingSession;
  readonly #content: Chunker;
  readonly #fixed: Chunker;
  readonly #sums = new BaseSums();
  #files = 0;
  #bytes = 0;
  #expectedBytes: number | undefined;

  constructor(
    repository: Repository,
    access: WriteAccess,
    server: ReplicationSession,
    options: BaseBackupOptions,
  ) {
    this.#repository = repository;
    this.#access = access;
    this.#server = server;
    this.#options = options;
    const { clock, threads, compression } = options;
    this.#writer = new WritingSession(access.indexed, {
      clock,
      mayWrite: access.mayWrite,
      signal: access.signal,
      ...(threads === undefined ? {} : { threads }),
      ...(compression === undefined ? {} : { compression }),
    });
    this.#content = createChunker(repository.config.chunkerPolynomial);
    this.#fixed = createFixedChunker(PAGE_CHUNK);
  }

  async run(startedAt: number): Promise<BaseBackupResult> {
    const { clock, labels } = this.#options;
    let saved: Awaited<ReturnType<BaseRun['save']>>;
    try {
      this.#options.onStart?.({ progress: () => this.#progress() });
      saved = await this.save(startedAt);
      await this.#writer.finish();
    } catch (error) {
      await this.#writer.abandon();
      throw error;
    }
    const counts = { ...this.#writer.counts(), filesNew: this.#files, bytesProcessed: this.#bytes };
    const snapshot = describeSnapshot(labels, {
      tree: saved.tree,
      // Two servers on one host must not be thinned as one.
      paths: [`/postgres/${saved.record.systemId}`],
      parent: undefined,
      excludes: [],
      summary: summarize(counts, startedAt, clock.now()),
    });
    const id = await this.#repository.saveSnapshot(snapshot, this.#access.signal);
    return { snapshot: { ...snapshot, id }, record: saved.record, took: clock.now() - startedAt };
  }

  async save(startedAt: number) {
    const { labels, clock } = this.#options;
    const { systemId } = await this.#server.identifySystem();
    const facts = await readFacts(this.#server);
    await this.#server.createPhysicalSlot(`holdfast_base_${process.pid}_${startedAt}`, {
      temporary: true,
      reserveWal: true,
    });
    const owner = { ...UNKNOWN, uid: labels.uid, gid: labels.gid, user: labels.username };
    const tree = new BaseTree({ ...owner, mode: 0o755, mtime: Math.floor(startedAt / 1000) });
    const begun = await this.#receive(tree, facts);
    const record: BaseRecord = {
      version: 1,
      systemId,
      major: facts.major,
      settings: facts.settings,
      start: written(begun.start),
      end: written(begun.end),
      tablespaces: [...begun.tablespaces],
      startedAt: new Date(startedAt).toISOString(),
      endedAt: new Date(clock.now()).toISOString(),
      owner: begun.owner,
      server: serverName(this.#options.address, this.#server.host),
      ...(facts.checksums ? { pagesVerified: this.#sums.pages } : {}),
      role: this.#options.address.user,
    };
    const json = Buffer.from(`${JSON.stringify(record, null, 2)}\n`);
    const file = { ...owner, mode: 0o644, mtime: Math.floor(clock.now() / 1000) };
    await this.#save(tree, RECORD_FILE, file, [json]);
    return { tree: await tree.save(this.#writer), record };
  }

  async #receive(tree: BaseTree, facts: ServerFacts) {
    const { checkpoint = 'fast', maxRate, labels } = this.#options;
    const request = { label: `holdfast ${labels.hostname}`, checkpoint, major: facts.major } as const;
    let begun: Extract<BasePart, { kind: 'begin' }> | undefined;
    let end: LogPosition | undefined;
    let manifest: Buffer | undefined;
    let owner: Attributes | undefined;
    const parts = baseBackup(this.#server, {
      ...request,
      manifestChecksums: 'CRC32C',
      ...(maxRate === undefined ? {} : { maxRate }),
    });
    for await (const part of parts) {
      switch (part.kind) {
        case 'begin':
          begun = part;
          this.#expectedBytes = part.expectedBytes;
          this.#sums.start = part.start.lsn;
          break;
        case 'archive':
          owner = await this.#archive(tree, part, facts.checksums);
          break;
        case 'manifest':
          manifest = Buffer.concat(await Array.fromAsync(part.data));
          break;
        case 'end':
          end = part.end;
      }
    }
    if (begun === undefined || end === undefined || owner === undefined || manifest === undefined) {
      throw new Failure('source.unsupported', 'the server ended its base backup before it was whole');
    }
    this.#sums.verify(parseManifest(manifest), facts.segmentBytes);
    const mtime = Math.floor(this.#options.clock.now() / 1000);
    await this.#save(tree, `${BASE_FOLDER}/backup_manifest`, { ...owner, mode: 0o600, mtime }, [manifest]);
    return { ...begun, end, owner: { uid: owner.uid, gid: owner.gid } };
  }

  /** Saves a tar stream's entries; returns how the directory that it is of is to look. */
  async #archive(tree: BaseTree, { tablespace, data }: Archive, checkPages: boolean) {
    const inside = tablespace === undefined ? '' : `pg_tblspc/${tablespace.oid}`;
    const folder = joined(BASE_FOLDER, inside);
    let root: Attributes | undefined;
    for await (const entry of tarEntries(data)) {
      const name = joined(inside, entry.path);
      const path = joined(BASE_FOLDER, name);
      if (root === undefined) {
        root = { ...attributesOf(entry), mode: 0o700 };
        tree.addDirectory(folder, root);
      }
      if (entry.type === 'dir') tree.addDirectory(path, attributesOf(entry));
      else if (entry.type === 'symlink') tree.addSymlink(path, entry);
      else {
        const content = this.#sums.through(name, entry.content, checkPages);
        await this.#save(tree, path, attributesOf(entry), content);
      }
    }
    return root;
  }

  async #save(
    tree: BaseTree,
    path: string,
    attributes: Attributes,
    data: AsyncIterable<Buffer> | Iterable<Buffer>,
  ): Promise<void> {
    const inPlace = isRewrittenInPlace(path.slice(BASE_FOLDER.length + 1));
    const { size, content } = await this.#writer.cutStream(
      this.#counted(data),
      inPlace ? this.#fixed : this.#content,
    );
    tree.addFile(path, attributes, size, content);
    this.#files += 1;
  }

  async *#counted(data: AsyncIterable<Buffer> | Iterable<Buffer>) {
    for await (const bytes of data) {
      this.#bytes += bytes.length;
      yield bytes;
    }
  }

  #progress() {
    return { files: this.#files, bytes: this.#bytes, expectedBytes: this.#expectedBytes };
  }
}

/** See docs/adr: page-aligned, small enough that scattered changes stay cheap. Bytes. */
const PAGE_CHUNK = 128 * 1024;

const UNKNOWN: Attributes = { mode: 0o600, uid: 0, gid: 0, user: '', group: '', mtime: 0 };

function attributesOf({ mode, uid, gid, user, group, mtime }: Attributes): Attributes {
  return { mode, uid, gid, user, group, mtime };
}

type Archive = Extract<BasePart, { kind: 'archive' }>;

function joined(folder: string, name: string): string {
  return folder === '' || name === '' ? folder + name : `${folder}/${name}`;
}

function written({ lsn, timeline }: LogPosition): BaseRecord['start'] {
  return { lsn: formatLsn(lsn), timeline };
}
