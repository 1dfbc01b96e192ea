import {
  type Chunker,
  createChunker,
  createFixedChunker,
  Failure,
  type Finding,
  type Id,
  isFailure,
} from '@holdfast/engine';
import type { ReplicationSession } from '../connection/replication-session.ts';
import type { ServerFacts } from '../server/server-facts.ts';
import { BASE_FOLDER } from './base-record.ts';
import {
  type BasePart,
  type BaseRequest,
  baseBackup,
  type LogPosition,
  type Tablespace,
} from './base-stream.ts';
import { damageFindings, unlocatedDamage } from './damaged-pages.ts';
import { type BaseManifest, parseManifest } from './manifest.ts';
import { isRewrittenInPlace } from './relation-file.ts';
import { BaseSums } from './sums.ts';
import { tarEntries } from './tar-entries.ts';
import type { Attributes, BaseTree } from './tree.ts';

/** What is asked of a writing session: to cut a stream and to store its pieces while the next is read. */
export interface ContentWriter {
  cutStream(
    stream: AsyncIterable<Uint8Array>,
    chunker: Chunker,
  ): Promise<{ content: Promise<Id[]>; size: number }>;
}

export interface ReceivedBase {
  readonly start: LogPosition;
  readonly end: LogPosition;
  readonly tablespaces: readonly Tablespace[];
  /** Whose files the server's are: what the data directory is to look like. */
  readonly owner: Attributes;
  /** Damaged pages, where they are accepted. */
  readonly damage: readonly Finding[];
}

/**
 * Receives a base backup into a tree: each file is summed, cut and handed to the workers while the next one comes. What
 * is complete and undamaged has been compared with the server's own list before `receive` resolves.
 */
export class BaseReceiver {
  readonly #writer: ContentWriter;
  readonly #tree: BaseTree;
  readonly #facts: ServerFacts;
  readonly #byContent: Chunker;
  readonly #byPages = createFixedChunker(PAGE_CHUNK);
  readonly #sums = new BaseSums();
  #files = 0;
  #bytes = 0;
  #expectedBytes: number | undefined;

  constructor(parts: {
    writer: ContentWriter;
    tree: BaseTree;
    facts: ServerFacts;
    chunkerPolynomial: string;
  }) {
    this.#writer = parts.writer;
    this.#tree = parts.tree;
    this.#facts = parts.facts;
    this.#byContent = createChunker(parts.chunkerPolynomial);
  }

  async receive(session: ReplicationSession, request: BaseRequest): Promise<ReceivedBase> {
    try {
      const { manifest, ...base } = await this.#receiveParts(session, request);
      if (request.acceptDamage !== true) this.#sums.verifyPages();
      this.#sums.verifyFiles(manifest ?? impliedBy(base), this.#facts.segmentBytes);
      return base;
    } catch (error) {
      // The server says only that there is damage; we know where.
      if (isFailure(error, 'source.damaged') && request.acceptDamage !== true) this.#sums.verifyPages();
      throw error;
    }
  }

  progress() {
    return { files: this.#files, bytes: this.#bytes, expectedBytes: this.#expectedBytes };
  }

  get pagesVerified(): number {
    return this.#sums.pages;
  }

  /** Whether this file of the data directory came from the server. */
  has(path: string): boolean {
    return this.#sums.has(path);
  }

  /** A file that does not come from the server's archives. */
  async add(
    path: string,
    attributes: Attributes,
    data: AsyncIterable<Buffer> | Iterable<Buffer>,
  ): Promise<void> {
    const inPlace = isRewrittenInPlace(path.slice(BASE_FOLDER.length + 1));
    const { size, content } = await this.#writer.cutStream(
      this.#counted(data),
      inPlace ? this.#byPages : this.#byContent,
    );
    this.#tree.addFile(path, attributes, size, content);
    this.#files += 1;
  }

  async #receiveParts(
    session: ReplicationSession,
    request: BaseRequest,
  ): Promise<ReceivedBase & { readonly manifest: BaseManifest | undefined }> {
    let begun: Extract<BasePart, { kind: 'begin' }> | undefined;
    let end: Extract<BasePart, { kind: 'end' }> | undefined;
    let manifest: Buffer | undefined;
    let owner: Attributes | undefined;
    for await (const part of baseBackup(session, request)) {
      switch (part.kind) {
        case 'begin':
          begun = part;
          this.#expectedBytes = part.expectedBytes;
          this.#sums.start = part.start.lsn;
          break;
        case 'archive':
          owner = await this.#archive(part);
          break;
        case 'manifest':
          manifest = Buffer.concat(await Array.fromAsync(part.data));
          break;
        case 'end':
          end = part;
      }
    }
    if (begun === undefined || end === undefined || owner === undefined) {
      throw new Failure('source.unsupported', 'the server ended its base backup before it was whole');
    }
    if (manifest !== undefined) {
      await this.add(`${BASE_FOLDER}/backup_manifest`, { ...owner, mode: 0o600 }, [manifest]);
    }
    const { start, tablespaces } = begun;
    return {
      start,
      end: end.end,
      tablespaces,
      owner,
      damage: this.#damage(end.damageTold),
      manifest: manifest && parseManifest(manifest),
    };
  }

  #damage(told: boolean): Finding[] {
    const found = damageFindings(this.#sums.damage);
    return found.length === 0 && told ? [unlocatedDamage()] : found;
  }

  /** Saves a tar stream's entries; returns how the directory that it is of is to look. */
  async #archive({ tablespace, data }: Archive): Promise<Attributes | undefined> {
    const inside = tablespace === undefined ? '' : `pg_tblspc/${tablespace.oid}`;
    let root: Attributes | undefined;
    for await (const entry of tarEntries(data)) {
      const name = joined(inside, entry.path);
      const path = joined(BASE_FOLDER, name);
      const attributes = attributesOf(entry);
      if (root === undefined) {
        root = { ...attributes, mode: 0o700 };
        this.#tree.addDirectory(joined(BASE_FOLDER, inside), root);
      }
      if (entry.type === 'dir') this.#tree.addDirectory(path, attributes);
      else if (entry.type === 'symlink') this.#tree.addSymlink(path, attributes, entry.linkTarget);
      else await this.add(path, attributes, this.#sums.through(name, entry.content, this.#facts.checksums));
    }
    return root;
  }

  async *#counted(data: AsyncIterable<Buffer> | Iterable<Buffer>) {
    for await (const bytes of data) {
      this.#bytes += bytes.length;
      yield bytes;
    }
  }
}

type Archive = Extract<BasePart, { kind: 'archive' }>;

/**
 * Bytes between the cuts of relation files and WAL: whole pages, few enough that changes here and there stay cheap,
 * enough that the index of a large database stays small. Measured: docs/adr/006-page-aligned-chunks.md.
 */
const PAGE_CHUNK = 128 * 1024;

/** PostgreSQL 12 sends no manifest; which WAL is needed follows from where the base began and ended. */
function impliedBy({ start, end }: Pick<ReceivedBase, 'start' | 'end'>): BaseManifest {
  return { files: [], walRanges: [{ timeline: start.timeline, start: start.lsn, end: end.lsn }] };
}

function attributesOf({ mode, uid, gid, user, group, mtime }: Attributes): Attributes {
  return { mode, uid, gid, user, group, mtime };
}

function joined(folder: string, name: string): string {
  return folder === '' || name === '' ? folder + name : `${folder}/${name}`;
}
