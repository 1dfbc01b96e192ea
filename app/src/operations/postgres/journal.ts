import path from 'node:path';
import { Failure, isFailure } from '@holdfast/engine';
import type { Work } from '../../cli/command-frame.ts';
import type { JournalRequest, KeepJournal } from '../../cli/commands/postgres/journal.ts';
import { Spool } from '../../journal/spool.ts';
import type { ServerAddress } from '../../sources/postgres/connection/server-address.ts';
import { spoolAlone } from '../../sources/postgres/journal/journal-findings.ts';
import { inspectServer } from '../../sources/postgres/journal/receiver.ts';
import type { ServerIdentity } from '../../sources/postgres/journal/reception.ts';
import { spooledServer } from '../../sources/postgres/journal/spooled-server.ts';
import { parseWalName } from '../../sources/postgres/wal/segment.ts';
import type { LabelMachine } from '../files/snapshot-labels.ts';
import type { Machine } from '../machine.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { drainSpool, runJournal } from './journal-loops.ts';
import { JournalStory } from './journal-story.ts';
import { type ServerMachine, serverOf } from './server.ts';
import { spoolRoot } from './spool-root.ts';

export type JournalMachine = AccessMachine & ServerMachine & LabelMachine & Pick<Machine, 'workingDirectory'>;

export function keepJournal(machine: JournalMachine): KeepJournal {
  return async (access, request, work) => {
    const story = new JournalStory(work, machine.clock);
    const findServer = async () => ({
      ...(await serverOf(request, machine)),
      applicationName: request.name,
    });
    const server = await (request.drain === true
      ? identifyBySpool(request, machine)
      : identify(await findServer(), request, machine, { story, signal: work.signal }));
    const directory = spoolDirectory(request, machine, server.systemId);
    // The spool before the repository: its lock says at once that another journal runs already.
    await using spool = await Spool.open({
      directory,
      owner: { source: 'postgres', identity: server.systemId },
    });
    await using opened = await openAccess(access, { intent: 'write', ...work }, machine);
    const { repository, signal } = opened;
    const { retryLock } = access;
    const parts = { request, server, findServer, spool, repository, retryLock, machine, story, signal };
    await (request.drain === true ? drainSpool(parts) : runJournal(parts));
    // The last file stays in the spool, also when all is in the repository.
    const names = request.drain === true ? [] : await spool.names();
    const waiting = names.filter((name) => parseWalName(name, server.segmentSize)?.kind === 'segment').length;
    return story.summary(waiting, directory);
  };
}

/** A server that is gone may have left WAL in the spool: that is carried into the repository all the same. */
async function identify(
  address: ServerAddress,
  { spool }: JournalRequest,
  { workingDirectory }: JournalMachine,
  { story, signal }: Pick<Work, 'signal'> & { readonly story: JournalStory },
): Promise<ServerIdentity> {
  try {
    return await inspectServer(address, signal);
  } catch (error) {
    if (isFailure(error, 'source.unreachable') && spool !== undefined) {
      const directory = path.resolve(workingDirectory, spool);
      const known = await spooledServer(directory);
      if (known !== undefined) {
        story.hear({ kind: 'finding', finding: spoolAlone(directory, error) });
        return known;
      }
    }
    throw error;
  }
}

/** For a server that is known to be gone, whose spool is all that is left of its last moments. */
async function identifyBySpool(
  { spool }: JournalRequest,
  { workingDirectory }: JournalMachine,
): Promise<ServerIdentity> {
  if (spool === undefined) throw new Failure('usage', '--drain needs --spool: which one is to be emptied');
  const known = await spooledServer(path.resolve(workingDirectory, spool));
  if (known !== undefined) return known;
  throw new Failure('source.missing', 'there is no WAL of a PostgreSQL server in this spool', {
    subject: spool,
  });
}

function spoolDirectory({ spool }: JournalRequest, machine: JournalMachine, systemId: string): string {
  if (spool !== undefined) return path.resolve(machine.workingDirectory, spool);
  return path.join(spoolRoot(machine), `postgres-${systemId}`);
}
