import type { Clock, Random } from '@holdfast/engine';
import type { Spool } from '../../../journal/spool.ts';
import type { HostAddress, ServerAddress } from '../connection/server-address.ts';
import { failureFrom } from '../connection/server-error.ts';
import { openSession } from '../server/refusal.ts';
import { parseBytes } from '../server/server-facts.ts';
import type { JournalEvent } from './journal-event.ts';
import { Reception, type ServerIdentity } from './reception.ts';
import type { WalPosition } from './start-position.ts';

export interface ReceiverOptions {
  /**
   * Asked before every connection: a password may have been changed since the last one. The application name is what
   * `synchronous_standby_names` may list: then no commit is acknowledged before us.
   */
  readonly findServer: () => Promise<ServerAddress>;
  readonly slot: string;
  /** For the system that is there: see `inspectServer`. */
  readonly spool: Spool;
  readonly server: ServerIdentity;
  readonly clock: Clock;
  readonly random: Random;
  /** Bytes on the spool's disk below which a finding is told. */
  readonly lowSpace: number;
  /** The server is meant to wait for us: a finding says when it does not. */
  readonly synchronous?: boolean;
  readonly onEvent: (event: JournalEvent) => void;
  readonly signal: AbortSignal;
}

/** Asks a server who it is, before there is a spool for it. */
export async function inspectServer(address: ServerAddress, signal: AbortSignal): Promise<ServerIdentity> {
  await using session = await openSession(address, signal);
  const { systemId } = await session.identifySystem();
  return { systemId, segmentSize: parseBytes(await session.show('wal_segment_size')) };
}

/**
 * Receives WAL into the spool until the signal aborts, over whatever comes: connections that break, servers that
 * restart, timelines that change, slots that are lost, disks that are full. What cannot be helped is told as an event;
 * nothing but the signal, or a server that is another system, ends it.
 */
export async function receiveWal(options: ReceiverOptions): Promise<void> {
  const { clock, random, signal } = options;
  let failures = 0;
  let toSkip: WalPosition | undefined;
  let reached: WalPosition | undefined;
  const onEvent = (event: JournalEvent) => {
    if (event.kind === 'flushed') {
      failures = 0;
      reached = furthest(reached, { timeline: event.progress.timeline, lsn: event.progress.flushed });
    }
    options.onEvent(event);
  };
  while (!signal.aborted) {
    let reception: Reception | undefined;
    try {
      const address = await options.findServer();
      const hosts = turned(address.hosts, failures);
      reception = new Reception({
        ...options,
        address: { ...address, hosts },
        synchronous: options.synchronous ?? false,
        toSkip,
        reached,
        onEvent,
      });
      await reception.run();
    } catch (error) {
      if (signal.aborted) return;
      toSkip = reception?.removed;
      if (toSkip !== undefined) continue;
      const failure = failureFrom(error, options.slot);
      if (failure.code === 'spool.foreign' || failure.code === 'internal') throw failure;
      const retryIn = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures) * (0.5 + random() / 2);
      failures += 1;
      onEvent({ kind: 'interrupted', failure, retryIn });
      await clock.sleep(retryIn, signal).catch(() => undefined);
    }
  }
}

/** A host that answers and is of no use, such as an old primary that came back, must not keep us from the others. */
function turned(hosts: readonly HostAddress[], failures: number): readonly HostAddress[] {
  const first = failures % hosts.length;
  return [...hosts.slice(first), ...hosts.slice(0, first)];
}

function furthest(a: WalPosition | undefined, b: WalPosition): WalPosition {
  if (a === undefined || b.timeline > a.timeline) return b;
  return b.timeline === a.timeline && b.lsn > a.lsn ? b : a;
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 15_000;
