import path from 'node:path';
import { isFailure, KeptIndex } from '@holdfast/engine';
import type { Work } from '../../cli/command-frame.ts';
import type { JournalRequest, KeepJournal } from '../../cli/commands/postgres/journal.ts';
import { printable } from '../../cli/width.ts';
import { Spool } from '../../journal/spool.ts';
import type { ServerAddress } from '../../sources/postgres/connection/server-address.ts';
import { BaseAfterGap } from '../../sources/postgres/journal/base-after-gap.ts';
import type { JournalEvent } from '../../sources/postgres/journal/journal-event.ts';
import { inspectServer, receiveWal } from '../../sources/postgres/journal/receiver.ts';
import type { ServerIdentity } from '../../sources/postgres/journal/reception.ts';
import { explainRefusal } from '../../sources/postgres/journal/refusal.ts';
import { SlotKeeper } from '../../sources/postgres/journal/slot-keeper.ts';
import { spooledServer } from '../../sources/postgres/journal/spooled-server.ts';
import { WalShipper } from '../../sources/postgres/journal/wal-shipper.ts';
import { walPlace } from '../../sources/postgres/journal/wal-slices.ts';
import { parseWalName } from '../../sources/postgres/wal/segment.ts';
import { type LabelMachine, labelsOf } from '../files/snapshot-labels.ts';
import type { Machine } from '../machine.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { isLedTo, takeBase } from './journal-base.ts';
import { JournalStory } from './journal-story.ts';
import { type ServerMachine, serverOf } from './server.ts';

export type JournalMachine = AccessMachine & ServerMachine & LabelMachine & Pick<Machine, 'workingDirectory'>;

export function keepJournal(machine: JournalMachine): KeepJournal {
  return async (access, request, work) => {
    const { clock, random } = machine;
    const { retryLock } = access;
    const { slot, rpo, synchronous = false } = request;
    const findServer = async () => ({
      ...(await serverOf(request, machine)),
      applicationName: request.name,
    });
    const server = await identify(await findServer(), request, machine, work);
    const directory = spoolDirectory(request, machine, server.systemId);
    // The spool before the repository: its lock says at once that another journal runs already.
    await using spool = await Spool.open({
      directory,
      owner: { source: 'postgres', identity: server.systemId },
    });
    await using opened = await openAccess(access, { intent: 'write', signal: work.signal }, machine);
    const { repository } = opened;
    const story = new JournalStory(work, clock);
    // When one of them ends, so do all.
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, opened.signal]);
    const tell: JournalStory['hear'] = (event) => story.hear(event);

    const baseParts = { repository, spool, server, findServer, request, retryLock, machine, signal };
    const bases = new BaseAfterGap({
      isLedTo: (beginning) => isLedTo(beginning, baseParts),
      takeBase: request.baseAfterGap ? (beginning) => takeBase(beginning, baseParts) : undefined,
      clock,
      random,
      onEvent: tell,
      signal,
    });
    const slots = new SlotKeeper({
      findServer,
      slot,
      server,
      clock,
      signal,
      interval: KEEP_SLOTS_EVERY_MS,
      onEvent: tell,
    });
    const { tags: _tags, time: _time, ...labels } = labelsOf({}, machine);
    const shipper = new WalShipper({
      spool,
      clock,
      random,
      signal,
      segmentSize: server.segmentSize,
      // What is shipped at the end of an interval is as old as the interval; half leaves time for the way.
      interval: rpo / 2,
      onEvent: tell,
      writer: {
        repository,
        clock,
        labels,
        retryLock,
        signal,
        index: new KeptIndex(repository),
        place: walPlace(server.systemId),
      },
    });
    const receiving = receiveWal({
      findServer,
      slot,
      spool,
      server,
      clock,
      random,
      synchronous,
      signal,
      lowSpace: LOW_SPACE_SEGMENTS * server.segmentSize,
      onEvent: (event: JournalEvent) => {
        tell(event);
        bases.hear(event);
        slots.hear(event);
      },
    });
    const runs = [receiving, shipper.run(), bases.run(), slots.run()].map((run) =>
      run.finally(() => stop.abort()),
    );
    // All have let go of the spool before it is closed; then the first failure counts.
    await Promise.allSettled(runs);
    await Promise.all(runs);
    const names = await spool.names();
    const waiting = names.filter((name) => parseWalName(name, server.segmentSize)?.kind === 'segment').length;
    return story.summary(waiting, directory);
  };
}

/** A server that is gone may have left WAL in the spool: that is carried into the repository all the same. */
async function identify(
  address: ServerAddress,
  { spool }: JournalRequest,
  { workingDirectory }: JournalMachine,
  { progress, signal }: Work,
): Promise<ServerIdentity> {
  try {
    return await inspectServer(address, signal);
  } catch (error) {
    if (isFailure(error, 'source.unreachable') && spool !== undefined) {
      const known = await spooledServer(path.resolve(workingDirectory, spool));
      if (known !== undefined) {
        progress.note(
          `▲ ${printable(error.message)}; what the spool holds is brought into the repository meanwhile`,
        );
        return known;
      }
    }
    throw await explainRefusal(error, address, signal);
  }
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

/** A gigabyte at the usual size: time enough to do something about it. */
const LOW_SPACE_SEGMENTS = 64;
/** So much older than the newest WAL may be what the slots on the other hosts keep. */
const KEEP_SLOTS_EVERY_MS = 30_000;
