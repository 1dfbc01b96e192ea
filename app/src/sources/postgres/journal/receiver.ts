import { type Clock, Failure, type Random } from '@holdfast/engine';
import type { Spool } from '../../../journal/spool.ts';
import {
  identifier,
  ReplicationSession,
  type ReplyRow,
  type SystemIdentity,
} from '../connection/replication-session.ts';
import type { ServerAddress } from '../connection/server-address.ts';
import { failureFrom, sqlStateOf } from '../connection/server-error.ts';
import { parseBytes } from '../server/server-facts.ts';
import { formatLsn, type Lsn, parseLsn } from '../wal/lsn.ts';
import { historyName, segmentStart } from '../wal/segment.ts';
import { parseTimelineHistory, type TimelineSwitch } from '../wal/timeline-history.ts';
import type { JournalEvent } from './journal-event.ts';
import { aheadOfServer, gapFinding, slotMadeAnew, spoolLow } from './journal-findings.ts';
import { prepareSlot } from './slot.ts';
import { continueOn, spoolPosition, type WalPosition } from './start-position.ts';
import { receiveTimeline } from './wal-stream.ts';
import { WalWriter } from './wal-writer.ts';

export interface ReceiverOptions {
  /** Its application name is what `synchronous_standby_names` may list: then no commit is acknowledged before us. */
  readonly address: ServerAddress;
  readonly slot: string;
  /** For the system that is there: see `inspectServer`. */
  readonly spool: Spool;
  readonly server: ServerIdentity;
  readonly clock: Clock;
  readonly random: Random;
  /** Bytes on the spool's disk below which a finding is told. */
  readonly lowSpace: number;
  readonly onEvent: (event: JournalEvent) => void;
  readonly signal: AbortSignal;
}

/** What never changes in a server's life. */
export interface ServerIdentity {
  readonly systemId: string;
  /** Bytes. */
  readonly segmentSize: number;
}

/** Asks a server who it is, before there is a spool for it. */
export async function inspectServer(address: ServerAddress, signal: AbortSignal): Promise<ServerIdentity> {
  await using session = await ReplicationSession.open(address, { signal });
  const { systemId } = await session.identifySystem();
  return { systemId, segmentSize: parseBytes(await session.show('wal_segment_size')) };
}

/**
 * Receives WAL into the spool until the signal aborts, over whatever comes: connections that break, servers that
 * restart, timelines that change, slots that are lost, disks that are full. What cannot be helped is told as an event;
 * nothing but the signal, or a server that is another system, ends it.
 */
export async function receiveWal(options: ReceiverOptions): Promise<void> {
  const { clock, random, onEvent, signal } = options;
  let failures = 0;
  let removed: WalPosition | undefined;
  while (!signal.aborted) {
    const reception = new Reception(options, removed, () => {
      failures = 0;
    });
    try {
      await reception.run();
    } catch (error) {
      if (signal.aborted) return;
      removed = reception.removed;
      if (removed !== undefined) continue;
      const failure = failureFrom(error, options.slot);
      if (failure.code === 'spool.foreign' || failure.code === 'internal') throw failure;
      const retryIn = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures) * (0.5 + random() / 2);
      failures += 1;
      onEvent({ kind: 'interrupted', failure, retryIn });
      await clock.sleep(retryIn, signal).catch(() => undefined);
    }
  }
}

/** One connection's worth: from the login to whatever ends it. */
class Reception {
  readonly #options: ReceiverOptions;
  readonly #onStreaming: () => void;
  /** What the last connection was refused: WAL that is not there any more. */
  readonly #toSkip: WalPosition | undefined;
  #removed: WalPosition | undefined;
  #toldLow = false;

  constructor(options: ReceiverOptions, toSkip: WalPosition | undefined, onStreaming: () => void) {
    this.#options = options;
    this.#toSkip = toSkip;
    this.#onStreaming = onStreaming;
  }

  /** Set when the server refused to stream from here, because it has removed that WAL; the connection is used up. */
  get removed(): WalPosition | undefined {
    return this.#removed;
  }

  async run(): Promise<void> {
    const { address, signal } = this.#options;
    await using session = await ReplicationSession.open(address, { signal });
    const system = await this.#identify(session);
    let at: WalPosition | undefined = await this.#begin(session, system);
    while (at !== undefined && !signal.aborted) {
      try {
        at = await this.#stream(session, at);
      } catch (error) {
        if (sqlStateOf(error) === SEGMENT_REMOVED) this.#removed = at;
        throw error;
      }
    }
  }

  async #identify(session: ReplicationSession): Promise<SystemIdentity> {
    const system = await session.identifySystem();
    if (system.systemId === this.#options.server.systemId) return system;
    throw new Failure('spool.foreign', `the server is now another system: ${system.systemId}`, {
      subject: `${session.host.name}:${session.host.port}`,
      hint: 'Was it made anew (initdb)? Then it needs a spool and a base of its own: name another --spool.',
    });
  }

  /** Where to begin: where the spool ends, if this server leads there. */
  async #begin(session: ReplicationSession, system: SystemIdentity): Promise<WalPosition> {
    const { address, slot, spool, server, signal, onEvent } = this.#options;
    const { segmentSize } = server;
    const ours = spoolPosition(await spool.names(), segmentSize);
    const { how, restart } = await prepareSlot(session, address, slot, signal);
    if (ours === undefined) {
      // The first time of all. The slot keeps what it keeps; what is older is the base backup's business.
      return { timeline: system.timeline, lsn: segmentStart(restart ?? system.flushed, segmentSize) };
    }
    if (this.#toSkip !== undefined)
      return this.#skip(system, this.#toSkip, restart, 'the server has removed it');
    if (how !== 'found') onEvent({ kind: 'finding', finding: slotMadeAnew(slot, how) });
    if (ours.timeline === system.timeline) return ours;
    const history = await this.#saveHistory(session, system.timeline);
    const way = continueOn(ours, system.timeline, history, segmentSize);
    switch (way.kind) {
      case 'continue':
        return way.at;
      case 'ahead':
        onEvent({ kind: 'finding', finding: aheadOfServer(way.switchedAt, ours.lsn) });
        return way.at;
      case 'behind':
        throw new Failure(
          'source.unreachable',
          `the server is on timeline ${system.timeline}, which was left`,
          {
            subject: `${session.host.name}:${session.host.port}`,
            hint: 'Is this an old primary that came back? Point the journal at the server that took over.',
          },
        );
      case 'diverged':
        return this.#skip(system, ours, restart, `timeline ${ours.timeline} is no ancestor of the server's`);
    }
  }

  /** Streams from `at` to the end of its timeline; answers where the next one begins. */
  async #stream(session: ReplicationSession, at: WalPosition): Promise<WalPosition | undefined> {
    const { slot, spool, server, clock, onEvent } = this.#options;
    const { timeline, lsn } = at;
    await using writer = new WalWriter({
      spool,
      segmentSize: server.segmentSize,
      timeline,
      start: lsn,
      onSegment: (name) => {
        onEvent({ kind: 'file', name });
        this.#watchSpace();
      },
    });
    const command = `START_REPLICATION SLOT ${identifier(slot)} PHYSICAL ${formatLsn(lsn)} TIMELINE ${timeline}`;
    let next: ReplyRow | undefined;
    for await (const part of session.run(command)) {
      if (part.kind === 'rows') next = part.rows[0];
      if (part.kind !== 'copy-both') continue;
      const host = `${session.host.name}:${session.host.port}`;
      onEvent({ kind: 'streaming', host, timeline, from: lsn });
      await receiveTimeline({
        stream: part.stream,
        writer,
        timeline,
        clock,
        onFlushed: (progress) => {
          this.#onStreaming();
          onEvent({ kind: 'flushed', progress });
        },
      });
    }
    return next === undefined ? undefined : await this.#follow(session, timeline, next);
  }

  /** A timeline has ended; what it began of its last segment stays as a partial one, since only it may hold it. */
  async #follow(session: ReplicationSession, from: number, next: ReplyRow): Promise<WalPosition> {
    const to = Number(next['next_tli']);
    const at = parseLsn(next['next_tli_startpos'] ?? '');
    await this.#saveHistory(session, to);
    this.#options.onEvent({ kind: 'timeline', from, to, at });
    return { timeline: to, lsn: segmentStart(at, this.#options.server.segmentSize) };
  }

  async #saveHistory(session: ReplicationSession, timeline: number): Promise<TimelineSwitch[]> {
    const { spool, onEvent } = this.#options;
    const { content } = await session.timelineHistory(timeline);
    const switches = parseTimelineHistory(content);
    const name = historyName(timeline);
    if (!(await spool.names()).includes(name)) {
      await spool.saveFile(name, Buffer.from(content));
      onEvent({ kind: 'file', name });
    }
    return switches;
  }

  #skip(system: SystemIdentity, wanted: WalPosition, restart: Lsn | undefined, why: string): WalPosition {
    const { slot, server, onEvent } = this.#options;
    const to = segmentStart(restart ?? system.flushed, server.segmentSize);
    // Going on where it just failed would go on for ever.
    if (to <= wanted.lsn && wanted.timeline === system.timeline) {
      throw new Failure(
        'source.unreadable',
        `the server does not have its own WAL from ${formatLsn(to)} on`,
        {
          subject: `slot ${slot}`,
        },
      );
    }
    onEvent({ kind: 'gap', from: wanted.lsn, to, finding: gapFinding(slot, wanted.lsn, to, why) });
    return { timeline: system.timeline, lsn: to };
  }

  /** Once a connection is enough: it is a hint, not an alarm clock. */
  #watchSpace(): void {
    const { spool, lowSpace, onEvent } = this.#options;
    if (this.#toldLow) return;
    spool.freeBytes().then(
      (free) => {
        if (free >= lowSpace || this.#toldLow) return;
        this.#toldLow = true;
        onEvent({ kind: 'finding', finding: spoolLow(spool.directory, free) });
      },
      // A disk that cannot even be asked fails its next write, and that is told.
      () => undefined,
    );
  }
}

/** undefined_file: how a walsender says that a segment was removed. */
const SEGMENT_REMOVED = '58P01';
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 15_000;
