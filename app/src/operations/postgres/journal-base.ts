import type { StoredSnapshot } from '@holdfast/engine';
import { listSlices } from '../../journal/slice-list.ts';
import { backUpBase } from '../../sources/postgres/base/base-backup.ts';
import { BASE_TAGS } from '../../sources/postgres/base/base-record.ts';
import { isBase, readBases } from '../../sources/postgres/base/stored-bases.ts';
import type { StreamBeginning } from '../../sources/postgres/journal/base-after-gap.ts';
import { leadsTo } from '../../sources/postgres/journal/base-lead.ts';
import { historyOf } from '../../sources/postgres/journal/stored-history.ts';
import { walFilesOf, walPlace } from '../../sources/postgres/journal/wal-slices.ts';
import { parseLsn } from '../../sources/postgres/wal/lsn.ts';
import { labelsOf } from '../files/snapshot-labels.ts';
import type { JournalParts } from './journal-loops.ts';
import { hostOf } from './server.ts';

type BaseParts = Omit<JournalParts, 'story'>;

/** Whether a base in the repository leads to where a stream begins, over what repository and spool have of the journal. */
export async function isLedTo(beginning: StreamBeginning, parts: BaseParts): Promise<boolean> {
  const { repository, spool, server, signal } = parts;
  const { timeline, lsn } = beginning;
  // Before the repository: what leaves the spool meanwhile is found there.
  const inSpool = (await spool.names()).map((name) => ({ name }));
  const snapshots = await repository.loadSnapshots(signal);
  const ofThisServer = snapshots.filter(
    (snapshot) => isBase(snapshot) && snapshot.paths.includes(`/postgres/${server.systemId}`),
  );
  if (ofThisServer.length === 0) return false;
  const indexed = await repository.loadIndexToRead(signal);
  const bases = await readBases(indexed, ofThisServer, signal);
  const ends = bases.map(({ record: { end } }) => ({ timeline: end.timeline, lsn: parseLsn(end.lsn) }));
  const slices = await listSlices(indexed, snapshots, walPlace(server.systemId), signal);
  const history = await historyOf(timeline, { indexed, slices, spool, signal });
  const files = [...slices.flatMap(walFilesOf), ...inSpool];
  return leadsTo(lsn, ends, files, server.segmentSize, { timeline, history });
}

/** Takes a base from the host that the stream comes from: another one may be of another history. */
export async function takeBase(beginning: StreamBeginning, parts: BaseParts): Promise<StoredSnapshot> {
  const { repository, findServer, request, retryLock, machine, signal } = parts;
  const { checkpoint, maxRate } = request;
  const address = { ...(await findServer()), hosts: [beginning.host] };
  const { snapshot } = await backUpBase(repository, {
    address,
    clock: machine.clock,
    labels: labelsOf({ host: request.host ?? hostOf(address, machine), tag: [BASE_TAGS] }, machine),
    checkpoint,
    retryLock,
    signal,
    ...(maxRate === undefined ? {} : { maxRate }),
  });
  return snapshot;
}
