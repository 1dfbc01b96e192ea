import { startCrewThreads } from '@holdfast/engine';
import type { Work } from '../../cli/command-frame.ts';
import type { BackUpBase } from '../../cli/commands/postgres/backup.ts';
import { type BaseWatch, backUpBase as takeBase } from '../../sources/postgres/base/base-backup.ts';
import { BASE_TAGS } from '../../sources/postgres/base/base-record.ts';
import type { ServerAddress } from '../../sources/postgres/connection/server-address.ts';
import { type LabelMachine, labelsOf } from '../files/snapshot-labels.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { type ServerMachine, serverOf } from './server.ts';

export function backUpBase(machine: AccessMachine & LabelMachine & ServerMachine): BackUpBase {
  return async (access, request, work) => {
    const { checkpoint, compression, maxRate, tag = [] } = request;
    const address = await serverOf(request, machine);
    const threads = startCrewThreads();
    try {
      await using opened = await openAccess(access, { intent: 'write', signal: work.signal }, machine);
      const startedAt = machine.clock.now();
      const { snapshot, record, findings, took } = await takeBase(opened.repository, {
        address,
        clock: machine.clock,
        labels: labelsOf(
          { host: request.host ?? hostOf(address, machine), tag: [BASE_TAGS, ...tag] },
          machine,
        ),
        checkpoint,
        compression,
        acceptDamage: request.acceptDamage === true,
        threads,
        retryLock: access.retryLock,
        signal: opened.signal,
        onStart: (watch) => show(work.progress, watch, startedAt),
        ...(maxRate === undefined ? {} : { maxRate }),
      });
      const { summary: figures } = snapshot;
      if (figures === undefined) throw new Error('a base that was just taken has figures');
      return {
        snapshot: snapshot.id,
        server: record.server,
        serverVersion: record.settings['server_version'] ?? String(record.major),
        systemId: record.systemId,
        timeline: record.start.timeline,
        startLsn: record.start.lsn,
        endLsn: record.end.lsn,
        ...(record.pagesVerified === undefined ? {} : { pagesVerified: record.pagesVerified }),
        findings,
        figures,
        milliseconds: took,
      };
    } finally {
      await threads.stop();
    }
  };
}

/** A base is of the machine that the server is on; behind a socket that is this one. */
export function hostOf({ hosts: [first] }: ServerAddress, machine: LabelMachine): string {
  return first === undefined || first.name.startsWith('/') ? machine.hostname : first.name;
}

function show(progress: Work['progress'], watch: BaseWatch, startedAt: number): void {
  progress.watch(() => {
    const { files, bytes, expectedBytes } = watch.progress();
    return {
      phase: 'Saving',
      startedAt,
      files,
      bytes,
      // WAL comes on top of what the server expects: never more than all.
      ...(expectedBytes === undefined ? {} : { totalBytes: Math.max(bytes, expectedBytes) }),
      errors: 0,
      items: [],
    };
  });
}
