import { resolve } from 'node:path';
import { Failure } from '@holdfast/engine';
import type { RestoreBase, RestoreBaseRequest } from '../../cli/commands/postgres/restore.ts';
import { parseMoment } from '../../cli/option-values.ts';
import { BASE_TAGS } from '../../sources/postgres/base/base-record.ts';
import type { Owner } from '../../sources/postgres/restore/ownership.ts';
import type { Recovery, RecoveryTarget } from '../../sources/postgres/restore/recovery-settings.ts';
import { restoreBase as bringBack } from '../../sources/postgres/restore/restore-base.ts';
import { parseLsn } from '../../sources/postgres/wal/lsn.ts';
import type { Machine } from '../machine.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { showRestore } from '../restore-progress.ts';
import { chooseSnapshot } from '../snapshot-choice.ts';

type RestoreMachine = AccessMachine & Pick<Machine, 'workingDirectory' | 'timeZone'>;

export function restoreBase(machine: RestoreMachine): RestoreBase {
  return async (access, request, work) => {
    const { owner } = request;
    const place = (directory: string) => resolve(machine.workingDirectory, directory);
    const recovery = recoveryOf(request, place, machine.timeZone);
    const tablespaces = new Map((request.tablespace ?? []).map((pair) => tablespaceOf(pair, place)));
    await using opened = await openAccess(access, { intent: 'read', signal: work.signal }, machine);
    const { repository, signal } = opened;
    // Of several lists of tags each is an alternative: whatever is asked for, it is to be a base.
    const tag = (request.tag ?? [[]]).map((tags) => [...BASE_TAGS, ...tags]);
    const { snapshot } = await chooseSnapshot(repository, request.base, { ...request, tag }, signal);
    const startedAt = machine.clock.now();
    const result = await bringBack(await repository.loadIndex(signal), snapshot, {
      clock: machine.clock,
      target: place(request.target),
      tablespaces,
      signal,
      onStart: (watch) => showRestore(work.progress, watch, startedAt),
      ...(owner === undefined ? {} : { owner: ownerOf(owner) }),
      ...(recovery === undefined ? {} : { recovery }),
    });
    return {
      target: place(request.target),
      serverVersion: result.record.settings['server_version'] ?? String(result.record.major),
      tablespaces: result.tablespaces,
      bytesWritten: result.bytes,
      milliseconds: result.took,
      startCommand: `pg_ctl -D ${place(request.target)} start   (PostgreSQL ${result.record.major})`,
    };
  };
}

function recoveryOf(
  request: RestoreBaseRequest,
  place: (directory: string) => string,
  timeZone: string,
): Recovery | undefined {
  if (request.wal === undefined) return undefined;
  return {
    walDirectory: place(request.wal),
    target: parseTarget(request.to ?? 'latest', timeZone),
    inclusive: request.exclusive !== true,
    action: request.action,
  };
}

/** What follows `--to`; a time without a zone is in the machine's. */
export function parseTarget(text: string, timeZone: string): RecoveryTarget {
  if (text === 'latest' || text === 'immediate') return { kind: text };
  if (text.startsWith('name:')) return { kind: 'name', name: text.slice('name:'.length) };
  if (/^xid:\d+$/.test(text)) return { kind: 'xid', xid: BigInt(text.slice('xid:'.length)) };
  if (text.includes('/')) return { kind: 'lsn', lsn: parseLsn(text) };
  return { kind: 'time', instant: Temporal.Instant.fromEpochMilliseconds(parseMoment(timeZone)(text)) };
}

function tablespaceOf(pair: string, place: (directory: string) => string): [number, string] {
  const [, oid, directory] = /^(\d+)=(.+)$/.exec(pair) ?? [];
  if (oid !== undefined && directory !== undefined) return [Number(oid), place(directory)];
  throw new Failure('usage', `--tablespace ${pair} is not of the form oid=directory`, {
    hint: 'The oids are those of pg_tablespace; a restore without the option says where each one went.',
  });
}

function ownerOf(text: string): Owner {
  const [, uid, gid] = /^(\d+)(?::(\d+))?$/.exec(text) ?? [];
  if (uid === undefined) throw new Failure('usage', `--owner takes numbers, uid or uid:gid, not ${text}`);
  return { uid: Number(uid), gid: Number(gid ?? uid) };
}
