import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { Failure, type RestoreWatch } from '@holdfast/engine';
import type {
  PlanPostgresRestore,
  PostgresRestorePlan,
  PostgresRestoreRequest,
  PostgresRestoreSummary,
} from '../../cli/commands/postgres/restore.ts';
import type { Planned } from '../../cli/planned.ts';
import { type RepositoryView, viewRepository } from '../../journal/repository-view.ts';
import { BASE_TAGS } from '../../sources/postgres/base/base-record.ts';
import { type BasePlaces, findPlaces, strangersIn } from '../../sources/postgres/restore/base-places.ts';
import { defaultOwner, type Owner } from '../../sources/postgres/restore/ownership.ts';
import { type MomentPlan, planMoment, targetText } from '../../sources/postgres/restore/plan-moment.ts';
import { findPrograms } from '../../sources/postgres/restore/programs.ts';
import { recoverMoment } from '../../sources/postgres/restore/recover-moment.ts';
import type { RecoveryTarget } from '../../sources/postgres/restore/recovery-settings.ts';
import {
  type RestoredMoment,
  restoreMoment,
  walDirectoryOf,
} from '../../sources/postgres/restore/restore-moment.ts';
import { formatLsn, parseLsn } from '../../sources/postgres/wal/lsn.ts';
import type { Machine } from '../machine.ts';
import { type AccessMachine, type OpenedRepository, openAccess } from '../repository-access.ts';
import { showRestore } from '../restore-progress.ts';
import { chooseSnapshot } from '../snapshot-choice.ts';

export type PostgresRestoreMachine = AccessMachine & Pick<Machine, 'workingDirectory' | 'timeZone'>;

/** Decides, looks at the target, and finds the programs, so that all that can be refused is refused before. */
export function planPostgresRestore(machine: PostgresRestoreMachine): PlanPostgresRestore {
  return async (access, request, work): Promise<Planned<PostgresRestorePlan, PostgresRestoreSummary>> => {
    const { clock } = machine;
    const place = (directory: string) => resolve(machine.workingDirectory, directory);
    const target = place(request.target);
    const tablespaces = new Map((request.tablespace ?? []).map((pair) => tablespaceOf(pair, place)));
    const { limitDownload } = request;
    const limits = limitDownload === undefined ? {} : { limitDownload };
    await using opening = new AsyncDisposableStack();
    const opened = opening.use(
      await openAccess(access, { intent: 'read', signal: work.signal, ...limits }, machine),
    );
    const { repository, signal } = opened;
    const view = await viewRepository(repository, signal);
    const { indexed } = view;
    const moment = await chooseMoment(view, request, { machine, opened });
    const overwriting = { delta: request.delta === true, otherSystem: request.otherSystem === true };
    const places = await findPlaces(indexed, moment.base, { target, tablespaces, signal, ...overwriting });
    const { record, snapshot } = moment.base;
    const programs = request.start === true ? await findPrograms(record.major) : undefined;
    const owner =
      request.owner === undefined ? await defaultOwner(target, record.owner) : ownerOf(request.owner);
    const deletions =
      places.state.kind === 'cluster' ? await strangersIn(indexed, snapshot, places, signal) : [];
    const plan = describe(request, { target, moment, places, owner, deletions });
    const open = opening.move();
    return {
      plan,
      execute: async ({ progress }) => {
        const startedAt = clock.now();
        const restored = await restoreMoment(indexed, moment, {
          directory: target,
          tablespaces,
          action: request.action,
          ...overwriting,
          clock,
          signal,
          onStart: (watch: RestoreWatch) => showRestore(progress, watch, clock.now()),
          ...(owner === undefined ? {} : { owner }),
        });
        const recovered =
          programs === undefined ? undefined : await recoverMoment(restored, { programs, clock, signal });
        const { took } = restored;
        return {
          target,
          serverVersion: plan.serverVersion,
          tablespaces: restored.tablespaces,
          bytesWritten: restored.bytes.base + restored.bytes.wal,
          entriesDeleted: restored.deleted,
          took: recovered === undefined ? took : { ...took, recovery: recovered.took },
          milliseconds: clock.now() - startedAt,
          ...(recovered === undefined
            ? {}
            : {
                recovered: {
                  state: recovered.state,
                  lsn: formatLsn(recovered.lsn),
                  ...(recovered.lastCommit === undefined
                    ? {}
                    : { lastCommit: new Date(recovered.lastCommit).toISOString() }),
                },
              }),
          next: nextSteps(restored, recovered?.state, request.action),
        };
      },
      [Symbol.asyncDispose]: () => open.disposeAsync(),
    };
  };
}

interface Opening {
  readonly machine: PostgresRestoreMachine;
  readonly opened: OpenedRepository;
}

async function chooseMoment(
  view: RepositoryView,
  request: PostgresRestoreRequest,
  { machine, opened: { repository, signal } }: Opening,
): Promise<MomentPlan> {
  const { base, system, timeline } = request;
  const named =
    base === undefined ? undefined : await chooseSnapshot(repository, base, { tag: [BASE_TAGS] }, signal);
  const wanted = {
    target: parseTarget(request.to, machine.timeZone),
    inclusive: request.exclusive !== true,
    ...(system === undefined ? {} : { systemId: system }),
    ...(named === undefined ? {} : { base: named.snapshot }),
    ...(timeline === undefined ? {} : { timeline }),
  };
  return await planMoment(view, wanted, { clock: machine.clock, signal });
}

interface Decided {
  readonly target: string;
  readonly moment: MomentPlan;
  readonly places: BasePlaces;
  readonly owner: Owner | undefined;
  readonly deletions: readonly string[];
}

function describe(
  { action, start }: PostgresRestoreRequest,
  { target, moment, places, owner, deletions }: Decided,
): PostgresRestorePlan {
  const { base, wal, after } = moment;
  const { record, snapshot } = base;
  const baseBytes = snapshot.summary?.totalBytesProcessed ?? 0;
  const walBytes = wal.reduce((sum, { node }) => sum + node.size, 0);
  const { state } = places;
  return {
    target,
    asked: targetText(moment.asked),
    to: targetText(moment.target),
    inclusive: moment.inclusive,
    action,
    start: start === true,
    systemId: moment.systemId,
    server: record.server,
    serverVersion: record.settings['server_version'] ?? String(record.major),
    timeline: moment.timeline,
    base: { snapshot: snapshot.id, endedAt: record.endedAt, endLsn: record.end.lsn, bytes: baseBytes },
    wal: {
      segments: wal.length,
      slices: new Set(wal.map(({ slice }) => slice.id)).size,
      bytes: walBytes,
      directory: walDirectoryOf(target),
    },
    ...(after === undefined
      ? {}
      : {
          after: {
            bytes: Number(after.bytes),
            until: { lsn: formatLsn(after.until.lsn), time: new Date(after.until.time).toISOString() },
          },
        }),
    expectedMilliseconds:
      ((baseBytes + walBytes) / FETCHED_PER_SECOND + (start === true ? walBytes / REPLAYED_PER_SECOND : 0)) *
        1000 +
      BEGINNING,
    tablespaces: places.places.flatMap(({ oid, directory }) => (oid === undefined ? [] : { oid, directory })),
    ...(owner === undefined ? {} : { owner: `${owner.uid}:${owner.gid}` }),
    existing: state.kind === 'strange' ? 'cluster' : state.kind,
    deletions,
    notes: [...moment.notes, ...placeNotes(places)],
    token: tokenOf(moment, target, deletions),
  };
}

function placeNotes({ state }: BasePlaces): string[] {
  if (state.kind !== 'cluster' || state.walLink === undefined) return [];
  return [`pg_wal is a link to ${state.walLink}: a directory takes its place, and what is there stays there`];
}

/** Changes with the moment, the target and every entry that would go. */
function tokenOf({ base, target, timeline }: MomentPlan, directory: string, deletions: readonly string[]) {
  const hash = createHash('sha256').update(
    `${base.snapshot.id}\0${targetText(target)}\0${timeline}\0${directory}`,
  );
  for (const name of deletions) hash.update(`\0${name}`);
  return hash.digest('hex').slice(0, TOKEN_DIGITS);
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

/** What follows `--to`; a time without a zone is in the machine's. */
export function parseTarget(text: string, timeZone: string): RecoveryTarget {
  if (text === 'latest' || text === 'immediate') return { kind: text };
  if (text.startsWith('name:')) return { kind: 'name', name: text.slice('name:'.length) };
  if (/^xid:\d+$/.test(text)) return { kind: 'xid', xid: BigInt(text.slice('xid:'.length)) };
  if (/^[0-9a-f]+\/[0-9a-f]+$/i.test(text)) return { kind: 'lsn', lsn: parseLsn(text) };
  return { kind: 'time', instant: parseInstant(text, timeZone) };
}

/** Finer than milliseconds: a transaction's time has microseconds. */
function parseInstant(text: string, timeZone: string): Temporal.Instant {
  try {
    return /(?:Z|[+-]\d\d(?::?\d\d)?)$/i.test(text) && /[T ]\d\d/.test(text)
      ? Temporal.Instant.from(text.replace(/([+-]\d\d)$/, '$1:00'))
      : Temporal.PlainDateTime.from(text).toZonedDateTime(timeZone).toInstant();
  } catch {
    throw new Failure('usage', `--to ${text} is no moment`, {
      hint:
        'It is latest, immediate, a time such as "2026-11-21 10:44:07" or 2026-11-21T10:44:07+07:00, ' +
        'a position such as 0/15D68C8, xid:N or name:NAME.',
    });
  }
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

const TOKEN_DIGITS = 12;
/** Bytes; what two cores and a local disk do at least. */
const FETCHED_PER_SECOND = 150e6;
const REPLAYED_PER_SECOND = 100e6;
/** Milliseconds. */
const BEGINNING = 500;
