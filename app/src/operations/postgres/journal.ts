import path from 'node:path';
import { IndexMemory, isFailure } from '@holdfast/engine';
import type { Work } from '../../cli/command-frame.ts';
import type { JournalRequest, KeepJournal } from '../../cli/commands/postgres/journal.ts';
import { printable } from '../../cli/width.ts';
import { Spool } from '../../journal/spool.ts';
import type { ServerAddress } from '../../sources/postgres/connection/server-address.ts';
import { inspectServer, receiveWal, type ServerIdentity } from '../../sources/postgres/journal/receiver.ts';
import { spooledServer } from '../../sources/postgres/journal/spooled-server.ts';
import { WalShipper } from '../../sources/postgres/journal/wal-shipper.ts';
import { walPlace } from '../../sources/postgres/journal/wal-slices.ts';
import { parseWalName } from '../../sources/postgres/wal/segment.ts';
import type { Machine } from '../machine.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { JournalStory } from './journal-story.ts';
import { type ServerMachine, serverOf } from './server.ts';

export type JournalMachine = AccessMachine &
  ServerMachine &
  Pick<Machine, 'workingDirectory' | 'hostname' | 'username' | 'version'>;

export function keepJournal(machine: JournalMachine): KeepJournal {
  return async (access, request, work) => {
    const { clock, random } = machine;
    const startedAt = clock.now();
    const address = { ...(await serverOf(request, machine)), applicationName: request.name };
    const server = await identify(address, request, machine, work);
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
        memory: new IndexMemory(),
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
    if (!isFailure(error, 'source.unreachable') || spool === undefined) throw error;
    const known = await spooledServer(path.resolve(workingDirectory, spool));
    if (known === undefined) throw error;
    progress.note(
      `▲ ${printable(error.message)}; what the spool holds is brought into the repository meanwhile`,
    );
    return known;
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
