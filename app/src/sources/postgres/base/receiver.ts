import {
  type Chunker,
  createChunker,
  createFixedChunker,
  createPageSums,
  Failure,
  type Finding,
  type Id,
  isFailure,
} from '@holdfast/engine';
import type { Attributes, ContentTree } from '../../../snapshot/content-tree.ts';
import type { ReplicationSession } from '../connection/replication-session.ts';
import type { ServerFacts } from '../server/server-facts.ts';
import { labelOfWhole } from './backup-label.ts';
import { BASE_FOLDER, MANIFEST_FILE } from './base-record.ts';
import {
  type BasePart,
  type BaseRequest,
  baseBackup,
  type LogPosition,
  type Tablespace,
} from './base-stream.ts';
import { damageFindings, unlocatedDamage } from './damaged-pages.ts';
import type { FileResolver, ResolvedFile } from './file-resolver.ts';
import { relationOf } from './incremental-file.ts';
import { type BaseManifest, type ManifestFile, parseManifest, rewriteManifest } from './manifest.ts';
import { isRewrittenInPlace } from './relation-file.ts';
import { BaseSums } from './sums.ts';
import { type TarEntry, tarEntries } from './tar-entries.ts';

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
  readonly #tree: ContentTree;
  readonly #facts: ServerFacts;
  readonly #byContent: Chunker;
  readonly #byPages = createFixedChunker(PAGE_CHUNK);
  readonly #sums = new BaseSums();
  /** Of an incremental base: what puts whole files together, and what has become of the entries that it got. */
  readonly #resolver: FileResolver | undefined;
  readonly #systemId: string;
  readonly #replaced = new Map<string, Promise<ManifestFile>>();
  #files = 0;
  #bytes = 0;
  #size = 0;
  #expectedBytes: number | undefined;

  constructor(parts: {
    writer: ContentWriter;
    tree: ContentTree;
    facts: ServerFacts;
    chunkerPolynomial: string;
    systemId: string;
    /** For a base that is asked for as the changes since an earlier one. */
    resolver?: FileResolver;
  }) {
    this.#writer = parts.writer;
    this.#tree = parts.tree;
    this.#facts = parts.facts;
    this.#byContent = createChunker(parts.chunkerPolynomial);
    this.#systemId = parts.systemId;
    this.#resolver = parts.resolver;
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

  /** Bytes of all files in the tree. */
  get size(): number {
    return this.#size;
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
    this.#place(path, attributes, size, content);
  }

  #place(path: string, attributes: Attributes, size: number, content: Promise<Id[]>): void {
    this.#tree.addFile(path, attributes, size, content);
    this.#files += 1;
    this.#size += size;
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
          // What the server expects is the size of everything, also when it sends only what has changed.
          if (this.#resolver === undefined) this.#expectedBytes = part.expectedBytes;
          this.#sums.start = part.start.lsn;
          await this.#resolver?.begin(part.start);
          break;
        case 'archive':
          owner = await this.#archive(part);
          break;
        case 'manifest':
          manifest = Buffer.concat(await Array.fromAsync(part.data, (piece) => Buffer.from(piece)));
          break;
        case 'end':
          end = part;
      }
    }
    if (begun === undefined || end === undefined || owner === undefined) {
      throw new Failure('source.unsupported', 'the server ended its base backup before it was whole');
    }
    if (manifest !== undefined) {
      const whole = this.#resolver === undefined ? manifest : await this.#rewritten(manifest);
      await this.add(MANIFEST_FILE, { ...owner, mode: 0o600 }, [whole]);
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
      else await this.#file(name, attributes, entry);
    }
    return root;
  }

  async #file(name: string, attributes: Attributes, entry: TarEntry): Promise<void> {
    const content = this.#sums.through(name, entry.content, this.#facts.checksums);
    const relation = this.#resolver && relationOf(name);
    if (this.#resolver !== undefined && relation !== undefined) {
      const file = await this.#resolver.resolve(
        relation,
        entry.size,
        this.#counted(content),
        (page, number) => {
          if (this.#facts.checksums) this.#sums.addPage(relation, page, number);
        },
      );
      this.#place(joined(BASE_FOLDER, relation), attributes, file.size, file.content);
      this.#replace(name, listed(relation, file));
    } else if (this.#resolver !== undefined && name === 'backup_label') {
      const label = Buffer.concat(await Array.fromAsync(content)).toString('latin1');
      const whole = Buffer.from(labelOfWhole(label), 'latin1');
      await this.add(joined(BASE_FOLDER, name), attributes, [whole]);
      const listed = { path: name, size: whole.length, crc32c: crc32cOf(whole) };
      this.#replace(name, Promise.resolve(listed));
    } else {
      await this.#resolver?.meet(name, entry.mtime);
      await this.add(joined(BASE_FOLDER, name), attributes, content);
    }
  }

  #replace(sentAs: string, file: Promise<ManifestFile>): void {
    // Looked at when all has come, or never when something fails before.
    file.catch(() => undefined);
    this.#replaced.set(sentAs, file);
  }

  async #rewritten(manifest: Buffer): Promise<Buffer> {
    const replaced = new Map<string, ManifestFile>();
    for (const [sentAs, file] of this.#replaced) replaced.set(sentAs, await file);
    return rewriteManifest(manifest, this.#systemId, (path) => replaced.get(path) ?? 'same');
  }

  async *#counted(data: AsyncIterable<Buffer> | Iterable<Buffer>) {
    for await (const bytes of data) {
      this.#bytes += bytes.length;
      yield bytes;
    }
  }
}

async function listed(path: string, { size, crc32c }: ResolvedFile): Promise<ManifestFile> {
  const sum = await crc32c;
  return { path, size, ...(sum === undefined ? {} : { crc32c: sum }) };
}

function crc32cOf(bytes: Buffer): number {
  const sums = createPageSums();
  sums.begin();
  sums.add(bytes);
  return sums.end().crc32c;
}

type Archive = Extract<BasePart, { kind: 'archive' }>;

/**
 * Bytes between the cuts of relation files and WAL: whole pages, few enough that changes here and there stay cheap,
 * enough that the index of a large database stays small. Measured: docs/adr/006-page-aligned-chunks.md.
 */
export const PAGE_CHUNK = 128 * 1024;

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
