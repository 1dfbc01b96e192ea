import {
  type Clock,
  type CrewThreads,
  describeSnapshot,
  type Failure,
  type Finding,
  type Id,
  type IndexedRepository,
  isFailure,
  type Repository,
  type SnapshotLabels,
  type StoredSnapshot,
  summarize,
  type WriteAccess,
  WritingSession,
  withWriteLock,
} from '@holdfast/engine';
import { type Attributes, ContentTree } from '../../../snapshot/content-tree.ts';
import type { ReplicationSession } from '../connection/replication-session.ts';
import { type ServerAddress, serverName } from '../connection/server-address.ts';
import { sqlStateOf } from '../connection/server-error.ts';
import { openSession } from '../server/refusal.ts';
import { readFacts } from '../server/server-facts.ts';
import { learnServer, type ServerKnowledge } from '../server/server-knowledge.ts';
import { formatLsn, parseLsn } from '../wal/lsn.ts';
import { parseTimelineHistory, type TimelineSwitch } from '../wal/timeline-history.ts';
import { baseFindings } from './base-findings.ts';
import { type BaseRecord, CONFIGURATION_FOLDER, RECORD_FILE } from './base-record.ts';
import type { BaseRequest, LogPosition } from './base-stream.ts';
import { basePath, EarlierBase, findEarlierBase, NotResolvable, type WholeBecause } from './earlier-base.ts';
import { FileResolver } from './file-resolver.ts';
import { BaseReceiver, PAGE_CHUNK, type ReceivedBase } from './receiver.ts';
import { rangesBetween, WalSummaries } from './wal-summaries.ts';

export interface BaseBackupOptions {
  readonly address: ServerAddress;
  readonly clock: Clock;
  readonly labels: SnapshotLabels;
  /** `fast` unless said otherwise. */
  readonly checkpoint?: 'fast' | 'spread';
  /** KiB/s that the server sends at most. */
  readonly maxRate?: number;
  /** Keep the base in spite of pages that are damaged on the server; they are findings then. */
  readonly acceptDamage?: boolean;
  /** Milliseconds after which a server that has begun to send and sends no more counts as gone; two minutes. */
  readonly silenceLimit?: number;
  /** Ask for the whole database, even where the changes since an earlier base would do. */
  readonly whole?: boolean;
  readonly compression?: 'auto' | 'off' | 'max';
  /** Worker threads that were started ahead; ended when the backup ends. */
  readonly threads?: CrewThreads;
  readonly retryLock?: number;
  readonly signal?: AbortSignal;
  /** Called when the server begins to send. */
  readonly onStart?: (watch: BaseWatch) => void;
}

export interface BaseWatch {
  /** `expectedBytes`: what the server estimates, without WAL; with its first answer, and only when it sends everything. */
  progress(): { readonly files: number; readonly bytes: number; readonly expectedBytes: number | undefined };
}

export interface BaseBackupResult {
  readonly snapshot: StoredSnapshot;
  readonly record: BaseRecord;
  /** What is wrong with the base or missing from it; of severity `error` only where damage was accepted. */
  readonly findings: readonly Finding[];
  readonly sent: SentBase;
  /** Milliseconds. */
  readonly took: number;
}

/** What the server was asked to send, and the bytes of files that came. */
export type SentBase =
  | { readonly kind: 'whole'; readonly bytes: number; readonly because?: WholeBecause }
  /** What has changed since the base of this snapshot. */
  | { readonly kind: 'changes'; readonly bytes: number; readonly since: Id };

/**
 * Takes a physical base backup into the repository as one snapshot: the data directory below `/base`, tablespaces below
 * `/base/pg_tblspc/<oid>`, and what has to be known of the server in `/holdfast/server.json`. All WAL that makes it
 * consistent is in it, so that it can be restored alone.
 *
 * From 17 on the server is asked only for what has changed since an earlier base, where it can tell; the files are put
 * together here, so that this snapshot is as whole as any (docs/adr/007-incremental-bases-are-resolved.md). When that
 * does not work out, whatever the reason, all is asked for.
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
    const reception = { indexed: access.indexed, options, signal: access.signal, startedAt };
    const { tree, record, findings, files, size, sent, counts } = await withWriter(
      access,
      options,
      (writer) => receiveSomehow(writer, reception),
    );
    const snapshot = describeSnapshot(labels, {
      tree,
      paths: [basePath(record.systemId)],
      parent: undefined,
      excludes: [],
      summary: summarize({ ...counts, filesNew: files, bytesProcessed: size }, startedAt, clock.now()),
    });
    const saved = await access.saveSnapshot(snapshot);
    return { snapshot: saved, record, findings, sent, took: clock.now() - startedAt };
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
  readonly indexed: IndexedRepository;
  readonly options: BaseBackupOptions;
  readonly signal: AbortSignal;
  readonly startedAt: number;
}

/** The changes, where they are to be had, else the whole: on a new connection, since the slot ends with a refusal. */
async function receiveSomehow(writer: WritingSession, reception: Reception) {
  if (reception.options.whole === true) return await receiveBase(writer, reception, 'asked');
  try {
    return await receiveBase(writer, reception);
  } catch (error) {
    if (!(error instanceof NotResolvable)) throw error;
    return await receiveBase(writer, reception, error.because);
  }
}

/** `whole` says that all is to be asked for, and why; without it the changes are, if there is an earlier base. */
async function receiveBase(
  writer: WritingSession,
  { indexed, options, signal, startedAt }: Reception,
  whole?: WholeBecause | 'asked',
) {
  const { clock, labels, address, checkpoint = 'fast', maxRate } = options;
  await using session = await openSession(address, signal);
  const { systemId, timeline } = await session.identifySystem();
  const facts = await readFacts(session);
  const server = { timeline, history: await historyOf(session, timeline) };
  const summaries = new WalSummaries({ ...address, hosts: [session.host] }, signal);
  const found =
    whole ??
    (await findEarlierBase({
      session,
      facts,
      systemId,
      server,
      host: labels.hostname,
      indexed,
      summaries,
      signal,
    }));
  const earlier = found instanceof EarlierBase ? found : undefined;
  const knowledge = await learnServer(address, signal);
  const slot = `holdfast_base_${process.pid}_${startedAt}`;
  await session.createPhysicalSlot(slot, { temporary: true, reserveWal: true });

  const ours = attributesAt(clock.now(), labels);
  const tree = new ContentTree({ ...ours, mode: 0o755 });
  const resolver =
    earlier &&
    new FileResolver({
      earlier,
      indexed,
      writer,
      chunkBytes: PAGE_CHUNK,
      truncationsUntil: (start) => {
        const from = { lsn: parseLsn(earlier.record.start.lsn), timeline: earlier.record.start.timeline };
        return summaries.truncations(rangesBetween(from, start, server.history));
      },
      signal,
    });
  const { chunkerPolynomial } = indexed.repository.config;
  const receiver = new BaseReceiver({
    writer,
    tree,
    facts,
    chunkerPolynomial,
    systemId,
    ...(resolver === undefined ? {} : { resolver }),
  });
  options.onStart?.({ progress: () => receiver.progress() });
  const request: BaseRequest = {
    label: `holdfast ${labels.hostname}`,
    checkpoint,
    manifestChecksums: 'CRC32C',
    major: facts.major,
    acceptDamage: options.acceptDamage === true,
    silenceLimit: options.silenceLimit ?? SILENCE_LIMIT,
    ...(maxRate === undefined ? {} : { maxRate }),
    ...(earlier === undefined ? {} : { since: earlier.manifestForServer() }),
  };
  const { start, end, tablespaces, owner, damage } = await receive(receiver, session, request);
  await addConfiguration(receiver, knowledge, ours);
  const holdsConfiguration = receiver.has('postgresql.conf');
  const findings = [...damage, ...baseFindings({ role: address.user, knowledge, holdsConfiguration })];
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
    ...recorded(knowledge),
    ...(earlier === undefined ? {} : { builtOn: earlier.snapshot.id }),
    ...(facts.checksums ? { pagesVerified: receiver.pagesVerified } : {}),
    findings,
  };
  const { bytes } = receiver.progress();
  await receiver.add(RECORD_FILE, ours, [Buffer.from(`${JSON.stringify(record, null, 2)}\n`)]);
  const { files } = receiver.progress();
  const sent = sentBase(found, bytes);
  return { tree: await tree.save(writer), record, findings, files, size: receiver.size, sent };
}

/** Beside the data: what a person looks into who sets up the server anew. Passwords of other systems may be in it. */
async function addConfiguration(
  receiver: BaseReceiver,
  knowledge: ServerKnowledge | undefined,
  ours: Attributes,
): Promise<void> {
  if (knowledge === undefined) return;
  const { files, settings } = knowledge.configuration;
  const attributes = { ...ours, mode: 0o600 };
  for (const { name, content } of files) {
    await receiver.add(`${CONFIGURATION_FOLDER}/${name}`, attributes, [content]);
  }
  await receiver.add(`${CONFIGURATION_FOLDER}/settings.conf`, attributes, [Buffer.from(settings)]);
}

function recorded(knowledge: ServerKnowledge | undefined): Partial<BaseRecord> {
  if (knowledge === undefined) return {};
  const { databases, standby, resourceManagers, configuration } = knowledge;
  return {
    databases: [...databases],
    standby,
    configuration: configuration.files.map(({ path, name }) => ({ path, name })),
    ...(resourceManagers === undefined ? {} : { resourceManagers }),
  };
}

function sentBase(found: EarlierBase | WholeBecause | 'asked', bytes: number): SentBase {
  if (found instanceof EarlierBase) return { kind: 'changes', bytes, since: found.snapshot.id };
  return found === 'asked' ? { kind: 'whole', bytes } : { kind: 'whole', bytes, because: found };
}

async function historyOf(session: ReplicationSession, timeline: number): Promise<TimelineSwitch[]> {
  return timeline === 1 ? [] : parseTimelineHistory((await session.timelineHistory(timeline)).content);
}

/** A server that cannot tell the changes says so before it sends anything; that is no reason to have no base. */
async function receive(
  receiver: BaseReceiver,
  session: ReplicationSession,
  request: BaseRequest,
): Promise<ReceivedBase> {
  try {
    return await receiver.receive(session, request);
  } catch (error) {
    if (request.since === undefined || !isRefusal(error)) throw error;
    throw new NotResolvable(
      {
        message: `the server refused: ${error.message}`,
        hint: 'Has summarize_wal been on since the earlier base, and is wal_summary_keep_time longer than the time between bases?',
      },
      error,
    );
  }
}

/** What a server says to a request that it cannot fulfil now, not what it says when it or the connection is in trouble. */
function isRefusal(error: unknown): error is Failure {
  return sqlStateOf(error) !== undefined && REFUSALS.some((code) => isFailure(error, code));
}

const REFUSALS = ['source.unreadable', 'source.unsupported'] as const;

function attributesAt(now: number, { uid, gid, username }: SnapshotLabels): Attributes {
  return { mode: 0o644, uid, gid, user: username, group: '', mtime: Math.floor(now / 1000) };
}

function written({ lsn, timeline }: LogPosition): BaseRecord['start'] {
  return { lsn: formatLsn(lsn), timeline };
}

const SILENCE_LIMIT = 120_000;
