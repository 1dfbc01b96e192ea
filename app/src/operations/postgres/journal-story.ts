import type { Work } from '../../cli/command-frame.ts';
import { formatCounted, formatDuration } from '../../cli/format.ts';
import { findingLine, type JournalSummary } from '../../cli/render/journal.ts';
import { printable } from '../../cli/width.ts';
import type { JournalEvent, JournalProgress } from '../../sources/postgres/journal/journal-event.ts';
import type { ShipperEvent } from '../../sources/postgres/journal/wal-shipper.ts';
import { formatLsn } from '../../sources/postgres/wal/lsn.ts';

/** What a person hears of a journal. */
export class JournalStory {
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
