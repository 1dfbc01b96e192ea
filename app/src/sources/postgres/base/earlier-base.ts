import {
  dumpPath,
  type Id,
  type IndexedRepository,
  isFailure,
  type Node,
  resolveFolder,
  type StoredSnapshot,
} from '@holdfast/engine';
import type { ReplicationSession } from '../connection/replication-session.ts';
import type { ServerFacts } from '../server/server-facts.ts';
import { parseLsn } from '../wal/lsn.ts';
import { parseTimelineHistory, type TimelineSwitch } from '../wal/timeline-history.ts';
import { BASE_FOLDER, type BaseRecord, MANIFEST_FILE, readBaseRecord } from './base-record.ts';
import { isEarlierState, type ServerHistory } from './earlier-choice.ts';
import { parseManifest, rewriteManifest } from './manifest.ts';
import { parseRelationPath } from './relation-file.ts';

/** Why a base is not built on an earlier one, and what would help. */
export interface WholeBecause {
  readonly message: string;
  readonly hint?: string;
}

/** An earlier base cannot be built on after all; the whole database is to be asked for. */
export class NotResolvable extends Error {
  readonly because: WholeBecause;

  constructor(because: WholeBecause, cause?: unknown) {
    super(because.message, { cause });
    this.because = because;
  }
}

/** A base in the repository that holds an earlier state of the server. */
export class EarlierBase {
  readonly snapshot: StoredSnapshot;
  readonly record: BaseRecord;
  /** The sums of its files, of those that were summed. */
  readonly sums: ReadonlyMap<string, number>;
  readonly #manifest: Buffer;
  readonly #indexed: IndexedRepository;
  readonly #signal: AbortSignal | undefined;
  /** The directory that was asked for last: files come directory by directory. */
  #directory: { readonly path: string; readonly files: ReadonlyMap<string, Node> } | undefined;

  private constructor(
    indexed: IndexedRepository,
    { snapshot, record, manifest }: Pick<EarlierBase, 'snapshot' | 'record'> & { readonly manifest: Buffer },
    signal?: AbortSignal,
  ) {
    this.#indexed = indexed;
    this.snapshot = snapshot;
    this.record = record;
    this.#manifest = manifest;
    this.sums = new Map(
      parseManifest(manifest).files.flatMap(({ path, crc32c }) =>
        crc32c === undefined ? [] : [[path, crc32c] as const],
      ),
    );
    this.#signal = signal;
  }

  static async open(
    indexed: IndexedRepository,
    snapshot: StoredSnapshot,
    record: BaseRecord,
    signal?: AbortSignal,
  ): Promise<EarlierBase> {
    const manifest = await readFile(indexed, snapshot, MANIFEST_FILE, signal);
    return new EarlierBase(indexed, { snapshot, record, manifest }, signal);
  }

  /**
   * What the server is told of it. A file that is not in it is sent whole: so are visibility maps, since the WAL does not
   * name the page of one in which a change of a row clears a bit (tried on 17.10 and 18.4). Summaries of it miss those
   * pages, and with the old ones index-only scans count rows that were deleted. They are a 30,000th of their tables.
   */
  manifestForServer(): Buffer {
    return rewriteManifest(this.#manifest, this.record.systemId, (path) =>
      parseRelationPath(path)?.fork === 'vm' ? 'left out' : 'same',
    );
  }

  /** A file below the data directory; undefined when it was not there. */
  async file(path: string): Promise<Node | undefined> {
    const slash = path.lastIndexOf('/');
    const directory = path.slice(0, Math.max(slash, 0));
    if (this.#directory?.path !== directory) this.#directory = await this.#load(directory);
    return this.#directory.files.get(path.slice(slash + 1));
  }

  /**
   * Whether a timeline's history is the file that was there already, by when it was written. A server that was restored
   * twice from one base can have come to the same timeline at the same place twice, with other rows since.
   */
  async hasHistory(path: string, mtime: number): Promise<boolean> {
    if (path !== historyFile(this.record.end.timeline)) return true;
    const node = await this.file(path);
    return node !== undefined && node.mtime / 1_000_000_000n === BigInt(mtime);
  }

  async #load(path: string) {
    const names = [BASE_FOLDER, ...path.split('/').filter((name) => name !== '')];
    const files = new Map<string, Node>();
    try {
      const tree = await resolveFolder(this.#indexed, this.snapshot.tree, names, this.#signal);
      const { nodes } = await this.#indexed.loadTree(tree, this.#signal);
      for (const node of nodes) if (node.type === 'file') files.set(node.name.toString(), node);
    } catch (error) {
      if (!isFailure(error, 'snapshot.path-not-found')) throw error;
    }
    return { path, files };
  }
}

interface Search {
  readonly session: ReplicationSession;
  readonly facts: ServerFacts;
  readonly systemId: string;
  readonly server: ServerHistory;
  /** Whose bases count: a copy of a server has its identity too, and is another machine. */
  readonly host: string;
  readonly indexed: IndexedRepository;
  readonly summaries: { refusal(): Promise<WholeBecause | undefined> };
  readonly signal?: AbortSignal;
}

/** The newest base that the server can be asked for the changes since, or why there is none. */
export async function findEarlierBase(search: Search): Promise<EarlierBase | WholeBecause> {
  const { session, facts, indexed, systemId, server, host, summaries, signal } = search;
  if (facts.major < 17) {
    return { message: `PostgreSQL ${facts.major} cannot tell what has changed; 17 and newer can` };
  }
  if ((await session.show('summarize_wal')) !== 'on') {
    return {
      message: 'summarize_wal is off',
      hint: 'ALTER SYSTEM SET summarize_wal = on; SELECT pg_reload_conf();',
    };
  }
  if ((await session.show('block_size')) !== '8192') return { message: 'its pages are not of 8 KiB' };
  const snapshots = (await indexed.repository.loadSnapshots(signal)).filter(
    ({ hostname, paths: [path, ...others] }) =>
      hostname === host && path === basePath(systemId) && others.length === 0,
  );
  if (snapshots.length === 0) return { message: 'it is the first of this server in the repository' };
  const refusal = await summaries.refusal();
  if (refusal !== undefined) return refusal;
  for (const snapshot of snapshots.reverse()) {
    const found = await openIfUsable(indexed, snapshot, signal, (record, history) => {
      const end = { lsn: parseLsn(record.end.lsn), timeline: record.end.timeline };
      // What is damaged there would come along without being sent, and so without being found.
      const sound = record.findings.every(({ severity }) => severity !== 'error');
      return sound && record.major === facts.major && isEarlierState({ end, history }, server);
    });
    if (found !== undefined) return found;
  }
  return {
    message: 'no base in the repository is an earlier state of this server, or none that can be read',
  };
}

/** What a base's snapshot has as its one path: two servers on one host must not be thinned as one. */
export function basePath(systemId: string): string {
  return `/postgres/${systemId}`;
}

async function openIfUsable(
  indexed: IndexedRepository,
  snapshot: StoredSnapshot,
  signal: AbortSignal | undefined,
  usable: (record: BaseRecord, history: readonly TimelineSwitch[]) => boolean,
): Promise<EarlierBase | undefined> {
  try {
    const record = await readBaseRecord(indexed, snapshot, signal);
    const { timeline } = record.end;
    const history =
      timeline === 1
        ? []
        : parseTimelineHistory(
            (await readFile(indexed, snapshot, `${BASE_FOLDER}/${historyFile(timeline)}`, signal)).toString(),
          );
    if (!usable(record, history)) return undefined;
    return await EarlierBase.open(indexed, snapshot, record, signal);
  } catch (error) {
    // One that is damaged, or that something else has written, is passed over: there may be another, or none.
    if (UNUSABLE.some((code) => isFailure(error, code))) return undefined;
    throw error;
  }
}

const UNUSABLE = [
  'snapshot.path-not-found',
  'source.unsupported',
  'source.unreadable',
  'source.damaged',
  'repository.blob-missing',
  'repository.damaged',
  'backend.not-found',
  'backend.short-read',
] as const;

function historyFile(timeline: number): string {
  return `pg_wal/${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;
}

async function readFile(
  indexed: IndexedRepository,
  { tree }: { readonly tree: Id },
  path: string,
  signal?: AbortSignal,
): Promise<Buffer> {
  const { bytes } = await dumpPath(indexed, tree, path, {
    // Only of folders is anything left out.
    onProblem: () => undefined,
    ...(signal === undefined ? {} : { signal }),
  });
  return Buffer.concat(await Array.fromAsync(bytes));
}
