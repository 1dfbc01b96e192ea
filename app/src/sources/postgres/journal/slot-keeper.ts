import { type Clock, Failure } from '@holdfast/engine';
import { identifier, ReplicationSession } from '../connection/replication-session.ts';
import type { HostAddress, ServerAddress } from '../connection/server-address.ts';
import { failureFrom } from '../connection/server-error.ts';
import { formatLsn, type Lsn } from '../wal/lsn.ts';
import { segmentStart } from '../wal/segment.ts';
import type { JournalEvent } from './journal-event.ts';
import { slotNotKept } from './journal-findings.ts';
import type { ServerIdentity } from './reception.ts';
import { prepareSlot } from './slot.ts';
import type { WalPosition } from './start-position.ts';
import { encodeStandbyStatus } from './wal-messages.ts';

export interface SlotKeeperOptions {
  readonly findServer: () => Promise<ServerAddress>;
  readonly slot: string;
  readonly server: ServerIdentity;
  readonly clock: Clock;
  /** Milliseconds between two rounds. */
  readonly interval: number;
  readonly onEvent: (event: JournalEvent) => void;
  readonly signal: AbortSignal;
}

/**
 * Keeps our slot on every other host of the address. A physical slot does not follow a promotion: without one of its own
 * the host that takes over may have removed the WAL that we still need, and that is a gap. The slots are moved to what is
 * durable with us, so that they keep little. A host that cannot be reached is a warning, told once until it can again.
 */
export class SlotKeeper {
  readonly #options: SlotKeeperOptions;
  readonly #streaming = Promise.withResolvers<void>();
  readonly #told = new Set<string>();
  #at: HostAddress | undefined;
  #durable: WalPosition | undefined;

  constructor(options: SlotKeeperOptions) {
    this.#options = options;
    options.signal.addEventListener('abort', () => this.#streaming.resolve(), { once: true });
  }

  /** What the receiver tells: where it is, and how far. */
  hear(event: JournalEvent): void {
    if (event.kind === 'streaming') {
      this.#at = event.host;
      this.#streaming.resolve();
    } else if (event.kind === 'flushed') {
      const { timeline, flushed } = event.progress;
      // A connection begins at the beginning of a segment: that is where the slots have to hold it.
      this.#durable = { timeline, lsn: segmentStart(flushed, this.#options.server.segmentSize) };
    }
  }

  async run(): Promise<void> {
    const { clock, interval, signal } = this.#options;
    await this.#streaming.promise;
    while (!signal.aborted) {
      await this.#round();
      await clock.sleep(interval, signal).catch(() => undefined);
    }
  }

  async #round(): Promise<void> {
    const { findServer, onEvent, signal, slot } = this.#options;
    // Whoever cannot even say where the server is, says so to the receiver.
    const address = await findServer().catch(() => undefined);
    for (const host of address?.hosts ?? []) {
      if (signal.aborted || address === undefined) return;
      if (host.name === this.#at?.name && host.port === this.#at.port) continue;
      const name = `${host.name}:${host.port}`;
      try {
        await this.#keep({ ...address, hosts: [host], targetSession: 'any' });
        this.#told.delete(name);
      } catch (error) {
        if (signal.aborted) return;
        const failure = failureFrom(error, name);
        if (this.#told.has(name)) continue;
        this.#told.add(name);
        onEvent({ kind: 'finding', finding: slotNotKept(slot, name, failure) });
      }
    }
  }

  async #keep(address: ServerAddress): Promise<void> {
    const { slot, server } = this.#options;
    const signal = AbortSignal.any([this.#options.signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]);
    await using session = await ReplicationSession.open(address, { signal });
    const system = await session.identifySystem();
    if (system.systemId !== server.systemId) {
      throw new Failure('spool.foreign', `it is another system: ${system.systemId}`);
    }
    const { restart } = await prepareSlot(session, address, slot, signal);
    const durable = this.#durable;
    if (durable?.timeline !== system.timeline) return;
    const there = segmentStart(system.flushed, server.segmentSize);
    const isBehind = there < durable.lsn;
    const goal = isBehind ? there : durable.lsn;
    if (restart !== undefined && goal > restart) await this.#move(session, system, goal);
  }

  /**
   * Moves a slot as a receiver does, by acknowledging on a stream: that takes no more than REPLICATION, where a function
   * would take a login for SQL. The stream begins where the host's WAL ends, so that hardly anything is sent.
   */
  async #move(session: ReplicationSession, system: WalEnd, goal: Lsn): Promise<void> {
    const { slot, clock } = this.#options;
    const from = formatLsn(system.flushed);
    const command = `START_REPLICATION SLOT ${identifier(slot)} PHYSICAL ${from} TIMELINE ${system.timeline}`;
    for await (const part of session.run(command)) {
      if (part.kind !== 'copy-both') continue;
      await part.stream.send(encodeStandbyStatus({ flushed: goal, now: clock.now(), replyNow: false }));
      await part.stream.end();
      for await (const _ of part.stream.received);
    }
  }
}

interface WalEnd {
  readonly timeline: number;
  readonly flushed: Lsn;
}

const ANSWER_WITHIN_MS = 20_000;
