import { resolve } from 'node:path';
import { Failure } from '@holdfast/engine';
import type {
  PlanPostgresRestore,
  PostgresRestorePlan,
  PostgresRestoreSummary,
  RecoveredTo,
} from '../../cli/commands/postgres/restore.ts';
import type { Planned } from '../../cli/planned.ts';
import { viewRepository } from '../../journal/repository-view.ts';
import { findPlaces, strangersIn } from '../../sources/postgres/restore/base-places.ts';
import { defaultOwner, type Owner } from '../../sources/postgres/restore/ownership.ts';
import { type RecoveryEnd, recoverMoment } from '../../sources/postgres/restore/recover-moment.ts';
import { type RestoredMoment, restoreMoment } from '../../sources/postgres/restore/restore-moment.ts';
import { formatLsn } from '../../sources/postgres/wal/lsn.ts';
import type { Machine } from '../machine.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { showRestore } from '../restore-progress.ts';
import { findServer } from './local-server.ts';
import { chooseMoment } from './moment-choice.ts';
import { describeRestore } from './restore-description.ts';

export type PostgresRestoreMachine = AccessMachine & Pick<Machine, 'workingDirectory' | 'timeZone'>;

/** Decides, looks at the target, and finds the programs, so that all that can be refused is refused before. */
export function planPostgresRestore(machine: PostgresRestoreMachine): PlanPostgresRestore {
  return async (access, request, work): Promise<Planned<PostgresRestorePlan, PostgresRestoreSummary>> => {
    const place = (directory: string) => resolve(machine.workingDirectory, directory);
    const target = place(request.target);
    const tablespaces = new Map((request.tablespace ?? []).map((pair) => tablespaceOf(pair, place)));
    const { limitDownload } = request;
    const limits = limitDownload === undefined ? {} : { limitDownload };
    await using opening = new AsyncDisposableStack();
    const opened = opening.use(await openAccess(access, { intent: 'read', ...work, ...limits }, machine));
    const { repository, signal } = opened;
    const view = await viewRepository(repository, signal);
    const { indexed } = view;
    const moment = await chooseMoment(view, request, machine, opened);
    const { record, snapshot } = moment.base;
    const overwriting = { delta: request.delta === true, otherSystem: request.otherSystem === true };
    const places = await findPlaces(indexed, moment.base, { target, tablespaces, signal, ...overwriting });
    const owner =
      request.owner === undefined ? await defaultOwner(target, record.owner) : ownerOf(request.owner);
    const deletions =
      places.state.kind === 'cluster' ? await strangersIn(indexed, snapshot, places, signal) : [];
    const start = request.start === true ? await findServer(record) : undefined;
    const plan = describeRestore(request, {
      target,
      moment,
      places,
      owner,
      deletions,
      notes: start?.notes ?? [],
    });
    const open = opening.move();
    return {
      plan,
      execute: async ({ progress }) => {
        const { clock } = machine;
        const startedAt = clock.now();
        const restored = await restoreMoment(indexed, moment, {
          directory: target,
          tablespaces,
          action: request.action,
          ...overwriting,
          clock,
          signal,
          onStart: (watch) => showRestore(progress, watch, clock.now()),
          ...(owner === undefined ? {} : { owner }),
        });
        const recovered =
          start === undefined
            ? undefined
            : await recoverMoment(restored, { programs: start.programs, clock, signal });
        return {
          target,
          serverVersion: plan.serverVersion,
          tablespaces: restored.tablespaces,
          bytesWritten: restored.bytes.base + restored.bytes.wal,
          entriesDeleted: restored.deleted,
          took: { ...restored.took, ...(recovered === undefined ? {} : { recovery: recovered.took }) },
          milliseconds: clock.now() - startedAt,
          ...(recovered === undefined ? {} : { recovered: toldEnd(recovered) }),
          next: nextSteps(restored, recovered?.state, request.action),
        };
      },
      [Symbol.asyncDispose]: () => open.disposeAsync(),
    };
  };
}

function toldEnd({ state, lsn, lastCommit }: RecoveryEnd): RecoveredTo {
  const last = lastCommit === undefined ? {} : { lastCommit: new Date(lastCommit).toISOString() };
  return { state, lsn: formatLsn(lsn), ...last };
}

function nextSteps(
  { directory, walDirectory, record }: RestoredMoment,
  state: 'promoted' | 'paused' | undefined,
  action: 'promote' | 'pause',
): string[] {
  const start = `pg_ctl -D ${directory} start   (PostgreSQL ${record.major})`;
  if (state === 'promoted') return [start];
  const afterwards = `remove ${walDirectory}, and restore_command from ${directory}/postgresql.auto.conf`;
  if (action === 'promote') return [start, `when it has recovered, ${afterwards}`];
  return [start, `SELECT pg_wal_replay_resume() lets it take writes; then ${afterwards}`];
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
