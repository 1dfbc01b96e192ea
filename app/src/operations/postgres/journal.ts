import path from 'node:path';
import type { Work } from '../../cli/command-frame.ts';
import type { JournalRequest, KeepJournal } from '../../cli/commands/postgres/journal.ts';
import { formatCounted, formatDuration } from '../../cli/format.ts';
import { findingLine, type JournalSummary } from '../../cli/render/journal.ts';
import { printable } from '../../cli/width.ts';
import { Spool } from '../../journal/spool.ts';
import type { JournalEvent, JournalProgress } from '../../sources/postgres/journal/journal-event.ts';
import { inspectServer, receiveWal } from '../../sources/postgres/journal/receiver.ts';
import { type ShipperEvent, WalShipper } from '../../sources/postgres/journal/wal-shipper.ts';
import { walPlace } from '../../sources/postgres/journal/wal-slices.ts';
import { formatLsn } from '../../sources/postgres/lsn.ts';
import { parseWalName } from '../../sources/postgres/wal-segment.ts';
import type { Machine } from '../machine.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { type ServerMachine, serverOf } from './server.ts';

export type JournalMachine = AccessMachine &
  ServerMachine &
  Pick<Machine, 'workingDirectory' | 'hostname' | 'username' | 'version'>;

export function keepJournal(machine: JournalMachine): KeepJournal {
  return async (access, request, work) => {
    const { clock, random } = machine;
    const startedAt = clock.now();
    const address = { ...(await serverOf(request, machine)), applicationName: request.name };
    const server = await inspectServer(address, work.signal);
    const directory = spoolDirectory(request, machine, server.systemId);
    // The spool before the repository: its lock says at once that another journal runs already.
    await using spool = await Spool.open({
      directory,
      owner: { source: 'postgres', identity: server.systemId },
    });
    await using opened = await openAccess(access, { intent: 'write', signal: work.signal }, machine);
    const story = new JournalStory(work, startedAt);
    // When one of the two ends, so does the other.
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, opened.signal]);
    const shipper = new WalShipper({
      spool,
      segmentSize: server.segmentSize,
      clock,
      // What is shipped at the end of an interval is as old as the interval; half leaves time for the way.
      interval: request.rpo / 2,
      signal,
      onEvent: (event) => story.tellShipped(event),
      writer: {
        repository: opened.repository,
        place: walPlace(server.systemId),
        clock,
        labels: {
          hostname: machine.hostname,
          username: machine.username,
          uid: process.getuid?.() ?? 0,
          gid: process.getgid?.() ?? 0,
          programVersion: `holdfast ${machine.version}`,
        },
        retryLock: access.retryLock,
        signal,
      },
    });
    const receiving = receiveWal({
      address,
      slot: request.slot,
      spool,
      server,
      clock,
      random,
      lowSpace: LOW_SPACE_SEGMENTS * server.segmentSize,
      signal,
      onEvent: (event) => story.tellReceived(event),
    });
    const runs = [receiving, shipper.run()].map((run) => run.finally(() => stop.abort()));
    // Both have let go of the spool before it is closed; then the first failure counts.
    await Promise.allSettled(runs);
    await Promise.all(runs);
    const names = await spool.names();
    const waiting = names.filter((name) => parseWalName(name, server.segmentSize)?.kind === 'segment').length;
    return story.summary(waiting, directory, clock.now());
  };
}

function spoolDirectory(
  { spool }: JournalRequest,
  { environment, homeDirectory, workingDirectory }: JournalMachine,
  systemId: string,
): string {
  if (spool !== undefined) return path.resolve(workingDirectory, spool);
  const state = environment['XDG_STATE_HOME'] || path.join(homeDirectory, '.local/state');
  return path.join(state, 'holdfast', 'journal', `postgres-${systemId}`);
}

/** What a person hears of a journal. */
class JournalStory {
  readonly #work: Work;
  readonly #startedAt: number;
  #progress: JournalProgress | undefined;
  #received = 0n;
  #position: bigint | undefined;
  #files = 0;
  #slices = 0;
  #gaps = 0;
  #interruptions = 0;

  constructor(work: Work, startedAt: number) {
    this.#work = work;
    this.#startedAt = startedAt;
    work.progress.watch(() => ({
      phase: 'Receiving',
      startedAt,
      files: this.#files,
      bytes: Number(this.#received),
      errors: this.#interruptions,
      items: this.#state(),
    }));
  }

  tellReceived(event: JournalEvent): void {
    this.#count(event);
    const line = receivedLine(event);
    if (line !== undefined) this.#work.progress.note(line);
  }

  tellShipped(event: ShipperEvent): void {
    const { progress } = this.#work;
    if (event.kind === 'shipped') {
      this.#slices += 1;
      const { snapshot, files, took } = event;
      progress.note(
        `Slice ${snapshot.id.slice(0, 8)} in the repository: ${formatCounted(files, 'file')} in ${formatDuration(took)}`,
      );
    } else if (event.kind === 'rolled-up') {
      progress.note(`Rolled up ${formatCounted(event.forgotten, 'slice')} into ${event.saved}`);
    } else {
      progress.note(`▲ Not in the repository yet: ${printable(event.failure.message)}; the spool keeps it`);
    }
  }

  #count(event: JournalEvent): void {
    if (event.kind === 'streaming') this.#position = event.from;
    else if (event.kind === 'file') this.#files += 1;
    else if (event.kind === 'interrupted') this.#interruptions += 1;
    else if (event.kind === 'gap') this.#gaps += 1;
    else if (event.kind === 'flushed') {
      const { flushed } = event.progress;
      this.#received += flushed - (this.#position ?? flushed);
      this.#position = flushed;
      this.#progress = event.progress;
    }
  }

  summary(waiting: number, spool: string, now: number): JournalSummary {
    return {
      ...(this.#progress === undefined ? {} : { flushed: formatLsn(this.#progress.flushed) }),
      received: Number(this.#received),
      slices: this.#slices,
      waiting,
      gaps: this.#gaps,
      spool,
      milliseconds: now - this.#startedAt,
    };
  }

  #state(): string[] {
    if (this.#progress === undefined) return [];
    const { flushed, serverEnd, lagMilliseconds } = this.#progress;
    const behind = serverEnd > flushed ? `, ${serverEnd - flushed} bytes behind` : '';
    return [
      `durable up to ${formatLsn(flushed)}, ${formatDuration(lagMilliseconds)} after the server${behind}`,
    ];
  }
}

/** What is worth a line that stays; undefined for what happens all the time. */
function receivedLine(event: JournalEvent): string | undefined {
  switch (event.kind) {
    case 'streaming':
      return `Streaming from ${event.host}, timeline ${event.timeline}, from ${formatLsn(event.from)} on`;
    case 'timeline':
      return `The server went from timeline ${event.from} to ${event.to} at ${formatLsn(event.at)}: followed`;
    case 'interrupted': {
      const [why, pause] = [printable(event.failure.message), formatDuration(event.retryIn)];
      return `▲ The stream broke off: ${why}; next try in ${pause}`;
    }
    case 'gap':
    case 'finding':
      return findingLine(event.finding);
    default:
      return undefined;
  }
}

/** A gigabyte at the usual size: time enough to do something about it. */
const LOW_SPACE_SEGMENTS = 64;
