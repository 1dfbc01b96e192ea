import {
  type Clock,
  type CrewThreads,
  describeSnapshot,
  type Repository,
  type SnapshotLabels,
  type StoredSnapshot,
  summarize,
  type WriteAccess,
  WritingSession,
  withWriteLock,
} from '@holdfast/engine';
import { ReplicationSession } from '../connection/replication-session.ts';
import { type ServerAddress, serverName } from '../connection/server-address.ts';
import { readDatabases } from '../server/database-facts.ts';
import { readFacts } from '../server/server-facts.ts';
import { formatLsn } from '../wal/lsn.ts';
import { type BaseRecord, RECORD_FILE } from './base-record.ts';
import type { LogPosition } from './base-stream.ts';
import { BaseReceiver } from './receiver.ts';
import { type Attributes, BaseTree } from './tree.ts';

export interface BaseBackupOptions {
  readonly address: ServerAddress;
  readonly clock: Clock;
  readonly labels: SnapshotLabels;
  /** `fast` unless said otherwise. */
  readonly checkpoint?: 'fast' | 'spread';
  /** KiB/s that the server sends at most. */
  readonly maxRate?: number;
  readonly compression?: 'auto' | 'off' | 'max';
  /** Worker threads that were started ahead; ended when the backup ends. */
  readonly threads?: CrewThreads;
  readonly retryLock?: number;
  readonly signal?: AbortSignal;
  /** Called when the server begins to send. */
  readonly onStart?: (watch: BaseWatch) => void;
}

export interface BaseWatch {
  /** `expectedBytes`: what the server estimates, without WAL; it comes with its first answer. */
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
  const { clock, signal, labels } = options;
  const startedAt = clock.now();
  const lock = { clock, dryRun: false, retryFor: options.retryLock ?? 0, signal };
  return await withWriteLock(repository, lock, async (access) => {
    // Begun again, work could not have the stream again: nothing is asked for before the lock counts.
    await access.mayWrite;
    const { tree, record, files, bytes, counts } = await withWriter(access, options, (writer) =>
      receiveBase(writer, { repository, options, signal: access.signal, startedAt }),
    );
    const snapshot = describeSnapshot(labels, {
      tree,
      // Two servers on one host must not be thinned as one.
      paths: [`/postgres/${record.systemId}`],
      parent: undefined,
      excludes: [],
      summary: summarize({ ...counts, filesNew: files, bytesProcessed: bytes }, startedAt, clock.now()),
    });
    return { snapshot: await access.saveSnapshot(snapshot), record, took: clock.now() - startedAt };
  });
}

/** Everything is durable and indexed when it resolves; when `work` fails, what is durable is kept for the next run. */
async function withWriter<Result>(
  { indexed, mayWrite, signal }: WriteAccess,
  { clock, threads, compression }: BaseBackupOptions,
  work: (writer: WritingSession) => Promise<Result>,
): Promise<Result & { counts: ReturnType<WritingSession['counts']> }> {
  const writer = new WritingSession(indexed, {
    clock,
    mayWrite,
    signal,
    ...(threads === undefined ? {} : { threads }),
    ...(compression === undefined ? {} : { compression }),
  });
  try {
    const result = await work(writer);
    await writer.finish();
    return { ...result, counts: writer.counts() };
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

interface Reception {
  readonly repository: Repository;
  readonly options: BaseBackupOptions;
  readonly signal: AbortSignal;
  readonly startedAt: number;
}

async function receiveBase(writer: WritingSession, { repository, options, signal, startedAt }: Reception) {
  const { clock, labels, address, checkpoint = 'fast', maxRate } = options;
  await using session = await ReplicationSession.open(address, { signal });
  const { systemId } = await session.identifySystem();
  const facts = await readFacts(session);
  const databases = await readDatabases(address, signal);
  const slot = `holdfast_base_${process.pid}_${startedAt}`;
  await session.createPhysicalSlot(slot, { temporary: true, reserveWal: true });

  const ours = attributesAt(clock.now(), labels);
  const tree = new BaseTree({ ...ours, mode: 0o755 });
  const { chunkerPolynomial } = repository.config;
  const receiver = new BaseReceiver({ writer, tree, facts, chunkerPolynomial });
  options.onStart?.({ progress: () => receiver.progress() });
  const { start, end, tablespaces, owner } = await receiver.receive(session, {
    label: `holdfast ${labels.hostname}`,
    checkpoint,
    manifestChecksums: 'CRC32C',
    major: facts.major,
    ...(maxRate === undefined ? {} : { maxRate }),
  });
  const record: BaseRecord = {
    version: 1,
    systemId,
    major: facts.major,
    settings: facts.settings,
    start: written(start),
    end: written(end),
    tablespaces: [...tablespaces],
    startedAt: new Date(startedAt).toISOString(),
    endedAt: new Date(clock.now()).toISOString(),
    owner: { uid: owner.uid, gid: owner.gid },
    server: serverName(address, session.host),
    role: address.user,
    ...(databases === undefined ? {} : { databases: [...databases] }),
    ...(facts.checksums ? { pagesVerified: receiver.pagesVerified } : {}),
  };
  await receiver.add(RECORD_FILE, ours, [Buffer.from(`${JSON.stringify(record, null, 2)}\n`)]);
  const { files, bytes } = receiver.progress();
  return { tree: await tree.save(writer), record, files, bytes };
}

function attributesAt(now: number, { uid, gid, username }: SnapshotLabels): Attributes {
  return { mode: 0o644, uid, gid, user: username, group: '', mtime: Math.floor(now / 1000) };
}

function written({ lsn, timeline }: LogPosition): BaseRecord['start'] {
  return { lsn: formatLsn(lsn), timeline };
}
