import { type Clock, Failure } from '@holdfast/engine';
import type { Spool } from '../../../journal/spool.ts';
import {
  identifier,
  ReplicationSession,
  type ReplyRow,
  type SystemIdentity,
} from '../connection/replication-session.ts';
import type { ServerAddress } from '../connection/server-address.ts';
import { sqlStateOf } from '../connection/server-error.ts';
import { formatLsn, type Lsn, parseLsn } from '../wal/lsn.ts';
import { historyName, segmentStart } from '../wal/segment.ts';
import { parseTimelineHistory, type TimelineSwitch } from '../wal/timeline-history.ts';
import { AnswerLimit } from './answer-limit.ts';
import type { JournalEvent } from './journal-event.ts';
import { aheadOfServer, gapFinding, slotMadeAnew, spoolLow } from './journal-findings.ts';
import { prepareSlot } from './slot.ts';
import { continueOn, spoolPosition, type WalPosition } from './start-position.ts';
import { synchronousFinding } from './synchronous.ts';
import { receiveTimeline } from './wal-stream.ts';
import { WalWriter } from './wal-writer.ts';

/** What never changes in a server's life. */
export interface ServerIdentity {
  readonly systemId: string;
  /** Bytes. */
  readonly segmentSize: number;
}

export interface ReceptionOptions {
  readonly address: ServerAddress;
  readonly slot: string;
  readonly spool: Spool;
  readonly server: ServerIdentity;
  readonly clock: Clock;
  /** Bytes on the spool's disk below which a finding is told. */
  readonly lowSpace: number;
  /** The server is meant to wait for us: say so when it does not. */
  readonly synchronous: boolean;
  /** What the last connection was refused: WAL that is not there any more. */
  readonly toSkip: WalPosition | undefined;
  /** How far anything was durable on the newest timeline that we have seen, if it was in this process. */
  readonly reached: WalPosition | undefined;
  readonly onEvent: (event: JournalEvent) => void;
  readonly signal: AbortSignal;
}

/** One connection's worth: from the login to whatever ends it. */
export class Reception {
  readonly #options: ReceptionOptions;
  readonly #answer: AnswerLimit;
  readonly #signal: AbortSignal;
  #removed: WalPosition | undefined;
  #toldLow = false;

  constructor(options: ReceptionOptions) {
    this.#options = options;
    this.#answer = new AnswerLimit(options.clock);
    this.#signal = AbortSignal.any([options.signal, this.#answer.signal]);
  }

  /** Set when the server refused to stream from here, because it has removed that WAL; the connection is used up. */
  get removed(): WalPosition | undefined {
    return this.#removed;
  }

  async run(): Promise<void> {
    using answer = this.#answer;
    answer.await();
    await using session = await ReplicationSession.open(this.#options.address, { signal: this.#signal });
    const system = await this.#identify(session);
    let at: WalPosition | undefined = await this.#begin(session, system);
    while (at !== undefined && !this.#signal.aborted) {
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
    const { address, slot, spool, toSkip, synchronous, onEvent } = this.#options;
    const { segmentSize } = this.#options.server;
    const ours = spoolPosition(await spool.names(), segmentSize);
    const { how, restart } = await prepareSlot(session, address, slot, this.#signal);
    if (synchronous) await this.#lookWhetherSynchronous(session);
    // Also the first time of all: without it nobody could tell later which history our segments belong to.
    const history = system.timeline === 1 ? [] : await this.#saveHistory(session, system.timeline);
    if (ours === undefined) {
      // The first time of all. The slot keeps what it keeps; what is older is the base backup's business.
      return { timeline: system.timeline, lsn: segmentStart(restart ?? system.flushed, segmentSize) };
    }
    if (toSkip !== undefined) return this.#skip(system, toSkip, restart, 'the server has removed it');
    if (how !== 'found') onEvent({ kind: 'finding', finding: slotMadeAnew(slot, how) });
    if (ours.timeline === system.timeline) return ours;
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
      this.#answer.arrived();
      onEvent({ kind: 'streaming', host: session.host, timeline, from: lsn });
      await receiveTimeline({
        stream: part.stream,
        writer,
        timeline,
        clock,
        onFlushed: (progress) => onEvent({ kind: 'flushed', progress }),
      });
      this.#answer.await();
    }
    return next === undefined ? undefined : await this.#follow(session, timeline, next);
  }

  /** A timeline has ended; what it began of its last segment stays as a partial one, since only it may hold it. */
  async #follow(session: ReplicationSession, from: number, next: ReplyRow): Promise<WalPosition> {
    const to = Number(next['next_tli']);
    const at = parseLsn(next['next_tli_startpos'] ?? '');
    await this.#saveHistory(session, to);
    const { reached, onEvent } = this.#options;
    onEvent({ kind: 'timeline', from, to, at });
    // Within one segment: what we have beyond the switch was written over with the same bytes up to it, and is kept.
    if (reached?.timeline === from && reached.lsn > at) {
      onEvent({ kind: 'finding', finding: aheadOfServer(at, reached.lsn) });
    }
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

  async #lookWhetherSynchronous(session: ReplicationSession): Promise<void> {
    const { address, onEvent } = this.#options;
    const names = await session.show('synchronous_standby_names');
    const commit = await session.show('synchronous_commit');
    const finding = synchronousFinding({ names, commit }, address.applicationName);
    if (finding !== undefined) onEvent({ kind: 'finding', finding });
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
