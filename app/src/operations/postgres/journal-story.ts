import type { Clock } from '@holdfast/engine';
import type { Work } from '../../cli/command-frame.ts';
import { formatBytes, formatDuration } from '../../cli/format.ts';
import type { JournalSummary } from '../../cli/render/journal.ts';
import { RepositoryLag } from '../../journal/repository-lag.ts';
import type { BaseEvent } from '../../sources/postgres/journal/base-after-gap.ts';
import type { JournalEvent, JournalProgress } from '../../sources/postgres/journal/journal-event.ts';
import type { ShipperEvent } from '../../sources/postgres/journal/wal-shipper.ts';
import { formatLsn } from '../../sources/postgres/wal/lsn.ts';
import { tell } from './journal-lines.ts';

/** What a person, or a program, hears of a journal. */
export class JournalStory {
  readonly #work: Work;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #lag = new RepositoryLag();
  #progress: JournalProgress | undefined;
  /** When the server was last heard, while no stream is there; undefined while one is. */
  #silentSince: number | undefined;
  #heardAt: number;
  #received = 0n;
  #position: bigint | undefined;
  #files = 0;
  #slices = 0;
  #gaps = 0;
  #interruptions = 0;

  constructor(work: Work, clock: Clock) {
    this.#work = work;
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#heardAt = this.#startedAt;
    this.#silentSince = this.#startedAt;
    work.progress.watch(() => ({
      phase: this.#silentSince === undefined ? 'Receiving' : 'Waiting for the server',
      startedAt: this.#startedAt,
      files: this.#files,
      bytes: Number(this.#received),
      errors: this.#interruptions,
      items: this.#state(),
      figures: this.#figures(),
    }));
  }

  hear(event: JournalEvent | ShipperEvent | BaseEvent): void {
    this.#count(event);
    const told = tell(event, this.#clock.now());
    if (told !== undefined) this.#work.progress.note(told.line, told.records);
  }

  summary(waiting: number, spool: string): JournalSummary {
    return {
      ...(this.#progress === undefined ? {} : { flushed: formatLsn(this.#progress.flushed) }),
      received: Number(this.#received),
      slices: this.#slices,
      waiting,
      gaps: this.#gaps,
      spool,
      milliseconds: this.#clock.now() - this.#startedAt,
    };
  }

  #count(event: JournalEvent | ShipperEvent | BaseEvent): void {
    const now = this.#clock.now();
    switch (event.kind) {
      case 'streaming':
        this.#position = event.from;
        this.#silentSince = undefined;
        this.#heardAt = now;
        break;
      case 'flushed': {
        const { flushed } = event.progress;
        this.#received += flushed - (this.#position ?? flushed);
        this.#position = flushed;
        this.#progress = event.progress;
        this.#heardAt = now;
        this.#lag.arrived(now);
        break;
      }
      case 'interrupted':
        this.#interruptions += 1;
        this.#silentSince ??= this.#heardAt;
        break;
      case 'file':
        this.#files += 1;
        break;
      case 'gap':
        this.#gaps += 1;
        break;
      case 'begun':
        this.#lag.roundBegun();
        break;
      case 'waiting':
        this.#lag.found(event.oldest);
        break;
      case 'shipped':
        this.#slices += 1;
        break;
      case 'caught-up':
        this.#lag.roundSucceeded();
        break;
    }
  }

  /** What would be lost with the server's disks: without a stream nobody knows what it has written since. */
  #spoolLag(now: number): number | undefined {
    if (this.#silentSince !== undefined) return now - this.#silentSince;
    return this.#progress?.lagMilliseconds;
  }

  #figures(): Record<string, unknown> {
    const now = this.#clock.now();
    const spoolLag = this.#spoolLag(now);
    return {
      ...(this.#progress === undefined
        ? {}
        : {
            timeline: this.#progress.timeline,
            flushedLsn: formatLsn(this.#progress.flushed),
            serverLsn: formatLsn(this.#progress.serverEnd),
          }),
      ...(spoolLag === undefined ? {} : { spoolLagMilliseconds: Math.round(spoolLag) }),
      repositoryLagMilliseconds: Math.round(this.#lag.age(now)),
      slices: this.#slices,
      gaps: this.#gaps,
    };
  }

  #state(): string[] {
    const now = this.#clock.now();
    const lines: string[] = [];
    if (this.#progress !== undefined) {
      const { flushed, serverEnd } = this.#progress;
      const behind = serverEnd > flushed ? `, ${formatBytes(Number(serverEnd - flushed))} to come` : '';
      const lag = formatDuration(this.#spoolLag(now) ?? 0);
      lines.push(`spool       ${lag} behind the server, durable up to ${formatLsn(flushed)}${behind}`);
    }
    const age = this.#lag.age(now);
    lines.push(
      age === 0 ? 'repository  has all of it' : `repository  ${formatDuration(age)} behind the spool`,
    );
    return lines;
  }
}
