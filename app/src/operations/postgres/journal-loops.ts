import { KeptIndex, type Repository } from '@holdfast/engine';
import type { JournalRequest } from '../../cli/commands/postgres/journal.ts';
import type { Spool } from '../../journal/spool.ts';
import type { ServerAddress } from '../../sources/postgres/connection/server-address.ts';
import { BaseAfterGap } from '../../sources/postgres/journal/base-after-gap.ts';
import { receiveWal } from '../../sources/postgres/journal/receiver.ts';
import type { ServerIdentity } from '../../sources/postgres/journal/reception.ts';
import { SlotKeeper } from '../../sources/postgres/journal/slot-keeper.ts';
import { WalShipper } from '../../sources/postgres/journal/wal-shipper.ts';
import { walPlace } from '../../sources/postgres/journal/wal-slices.ts';
import { type LabelMachine, labelsOf } from '../files/snapshot-labels.ts';
import type { Machine } from '../machine.ts';
import { isLedTo, takeBase } from './journal-base.ts';
import type { JournalStory } from './journal-story.ts';

export interface JournalParts {
  readonly request: JournalRequest;
  readonly server: ServerIdentity;
  readonly findServer: () => Promise<ServerAddress>;
  readonly spool: Spool;
  readonly repository: Repository;
  /** Milliseconds to wait while somebody has the repository for himself. */
  readonly retryLock: number;
  readonly machine: LabelMachine & Pick<Machine, 'random'>;
  readonly story: JournalStory;
  readonly signal: AbortSignal;
}

/**
 * What makes up a journal, side by side: WAL into the spool, the spool into the repository, a base behind it, slots on the
 * other hosts. When one of them ends, so do all; all have let go of the spool when it resolves, or rejects with the first
 * failure.
 */
export async function runJournal(parts: JournalParts): Promise<void> {
  const stop = new AbortController();
  const running = { ...parts, signal: AbortSignal.any([stop.signal, parts.signal]) };
  const runs = loops(running).map((run) => run.finally(() => stop.abort()));
  await Promise.allSettled(runs);
  await Promise.all(runs);
}

/** For a spool whose server is gone: all that it holds is in the repository when it resolves. */
export async function drainSpool(parts: JournalParts): Promise<void> {
  await shipperOf(parts).ship();
}

function loops(parts: JournalParts): Promise<void>[] {
  const { request, server, findServer, spool, machine, story, signal } = parts;
  const { clock, random } = machine;
  const { slot, synchronous = false } = request;
  const onEvent: JournalStory['hear'] = (event) => story.hear(event);
  const bases = new BaseAfterGap({
    isLedTo: (beginning) => isLedTo(beginning, parts),
    takeBase: request.baseAfterGap ? (beginning) => takeBase(beginning, parts) : undefined,
    clock,
    random,
    onEvent,
    signal,
  });
  const interval = KEEP_SLOTS_EVERY_MS;
  const slots = new SlotKeeper({ findServer, slot, server, clock, interval, onEvent, signal });
  const receiving = receiveWal({
    findServer,
    slot,
    spool,
    server,
    clock,
    random,
    synchronous,
    lowSpace: LOW_SPACE_SEGMENTS * server.segmentSize,
    onEvent: (event) => {
      onEvent(event);
      bases.hear(event);
      slots.hear(event);
    },
    signal,
  });
  return [receiving, shipperOf(parts).run(), bases.run(), slots.run()];
}

function shipperOf(parts: JournalParts): WalShipper {
  const { request, server, spool, repository, retryLock, machine, story, signal } = parts;
  const { clock, random } = machine;
  const { hostname, username, uid, gid, programVersion } = labelsOf({}, machine);
  return new WalShipper({
    spool,
    segmentSize: server.segmentSize,
    clock,
    random,
    // What is shipped at the end of an interval is as old as the interval; half leaves time for the way.
    interval: request.rpo / 2,
    onEvent: (event) => story.hear(event),
    signal,
    writer: {
      repository,
      index: new KeptIndex(repository),
      place: walPlace(server.systemId),
      clock,
      labels: { hostname, username, uid, gid, programVersion },
      tags: (request.tag ?? []).flat(),
      retryLock,
      signal,
    },
  });
}

/** A gigabyte at the usual size: time enough to do something about it. */
const LOW_SPACE_SEGMENTS = 64;
/** So much older than the newest WAL may be what the slots on the other hosts keep. */
const KEEP_SLOTS_EVERY_MS = 30_000;
