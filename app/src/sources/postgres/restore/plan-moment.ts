import { type Clock, Failure, type Id, type StoredSnapshot } from '@holdfast/engine';
import type { RepositoryView } from '../../../journal/repository-view.ts';
import { readBases, type StoredBase } from '../base/stored-bases.ts';
import type { Moment } from '../journal/recovery-windows.ts';
import { lineageOf, readJournal, type StoredJournal, type StoredWalFile } from '../journal/stored-journal.ts';
import { walPlace } from '../journal/wal-slices.ts';
import { parseBytes } from '../server/server-facts.ts';
import { formatLsn, type Lsn } from '../wal/lsn.ts';
import { parseWalName } from '../wal/segment.ts';
import { type FoundMoment, findMoment } from './find-moment.ts';
import {
  type LineageFile,
  lastSeen,
  lineageFiles,
  nearest,
  type Reachable,
  reachableFrom,
} from './moment.ts';
import type { RecoveryTarget } from './recovery-settings.ts';

export interface MomentRequest {
  readonly target: RecoveryTarget;
  /** Whether what happens exactly at the target is still wanted; yes unless said otherwise. */
  readonly inclusive?: boolean;
  /** Needed when the repository has several systems. */
  readonly systemId?: string;
  /** This base and no other. */
  readonly base?: StoredSnapshot | Id;
  /** Of which history; the latest unless said otherwise. */
  readonly timeline?: number;
}

/** How a moment comes back. Nothing has been written for it. */
export interface MomentPlan {
  /** As it was asked for. */
  readonly asked: RecoveryTarget;
  /** What the server is told: `latest` instead of a time after the last commit. */
  readonly target: RecoveryTarget;
  readonly inclusive: boolean;
  readonly systemId: string;
  readonly base: StoredBase;
  /** Where the base alone is consistent, and up to where WAL leads on from it. */
  readonly from: Moment;
  readonly to: Moment;
  readonly timeline: number;
  /** Bytes. */
  readonly segmentSize: number;
  /** WAL to fetch, in the order of the log. */
  readonly wal: readonly LineageFile[];
  /** All of them: a server that is promoted takes a timeline that none of them has. */
  readonly histories: readonly StoredWalFile[];
  /** What the journal has beyond the target; absent when there is nothing, or when nobody knows. */
  readonly after?: { readonly bytes: bigint; readonly until: Moment };
  /** What somebody should know before going on, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Decides from which base, along which timeline and with which WAL a moment comes back. Reads only. Throws
 * `point.unreachable` for a moment that the repository cannot bring back, with those next to it that it can;
 * `snapshot.not-found` when there is no base, `snapshot.ambiguous` when it is not said of which system.
 */
export async function planMoment(
  view: RepositoryView,
  request: MomentRequest,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal },
): Promise<MomentPlan> {
  const { target, inclusive = true } = request;
  const { systemId, bases } = await basesOf(view, request, signal);
  const [first] = bases;
  if (first === undefined) throw noBase(systemId);
  const segmentSize = parseBytes(first.record.settings['wal_segment_size'] ?? USUAL_SEGMENT_SIZE);
  const journal = await readJournal(view, walPlace(systemId), segmentSize, signal);
  const timeline = request.timeline ?? latestTimeline(journal, bases);
  const lineage = lineageOf(journal, timeline);
  const files = lineageFiles(journal, lineage);
  const reachable = reachableFrom(chosenBases(bases, request.base), files, lineage);
  const search = { indexed: view.indexed, segmentSize, inclusive, signal };
  const found = await findMoment(reachable, target, search);
  if (found === undefined) throw unreachable(target, reachable, lastSeen(files, reachable));
  const { chosen, at, isLast } = found;
  const told: RecoveryTarget = isLast ? { kind: 'latest' } : target;
  return {
    asked: target,
    target: told,
    inclusive,
    systemId,
    base: chosen.base,
    from: chosen.from,
    to: chosen.to,
    timeline,
    segmentSize,
    wal: told.kind === 'immediate' ? [] : walFor(chosen.files, at),
    histories: journal.files.filter(({ name }) => parseWalName(name, segmentSize)?.kind === 'history'),
    ...(at !== undefined && at < chosen.to.lsn
      ? { after: { bytes: chosen.to.lsn - at, until: chosen.to } }
      : {}),
    notes: notesOn(found, target, clock.now()),
  };
}

function notesOn({ chosen, isLast }: FoundMoment, target: RecoveryTarget, now: number): string[] {
  const notes = [];
  if (isLast) {
    notes.push(`nothing that the repository has is later than ${targetText(target)}: all of it is replayed`);
  }
  const { time } = chosen.to;
  if (target.kind === 'latest' && now - time > OLD) {
    const minutes = Math.floor((now - time) / 60_000);
    notes.push(
      `the last that the repository knows is of ${new Date(time).toISOString()}, ${minutes} minutes ago`,
    );
  }
  return notes;
}

interface Bases {
  readonly systemId: string;
  readonly bases: readonly StoredBase[];
}

async function basesOf(
  { indexed, snapshots }: RepositoryView,
  { systemId, base }: MomentRequest,
  signal: AbortSignal | undefined,
): Promise<Bases> {
  const all = await readBases(indexed, snapshots, signal);
  const wanted = systemId ?? all.find(({ snapshot }) => snapshot.id === idOf(base))?.record.systemId;
  const systems = new Set(all.map(({ record }) => record.systemId));
  const [only] = systems;
  if (only === undefined) throw noBase(undefined);
  if (wanted === undefined && systems.size > 1) {
    throw new Failure('snapshot.ambiguous', 'there are bases of several servers in this repository', {
      hint: `Say of which system: ${all
        .filter(
          ({ record }, index) =>
            all.findIndex((other) => other.record.systemId === record.systemId) === index,
        )
        .map(({ record }) => `${record.systemId} (${record.server})`)
        .join(', ')}`,
    });
  }
  const system = wanted ?? only;
  return { systemId: system, bases: all.filter(({ record }) => record.systemId === system) };
}

function chosenBases(bases: readonly StoredBase[], base: MomentRequest['base']): readonly StoredBase[] {
  const id = idOf(base);
  return id === undefined ? bases : bases.filter(({ snapshot }) => snapshot.id === id);
}

function idOf(base: MomentRequest['base']): Id | undefined {
  return typeof base === 'object' ? base.id : base;
}

function latestTimeline(journal: StoredJournal, bases: readonly StoredBase[]): number {
  return Math.max(journal.latestTimeline, ...bases.map(({ record }) => record.end.timeline));
}

/**
 * `at` is the end of the record that recovery sees its target by; undefined when it is the end of all. A record that begins
 * there may end in the next segment.
 */
function walFor(files: readonly LineageFile[], at: Lsn | undefined): readonly LineageFile[] {
  const last = at === undefined ? -1 : files.findIndex(({ from }) => from > at);
  return last === -1 ? files : files.slice(0, last + 1);
}

function unreachable(target: RecoveryTarget, reachable: readonly Reachable[], seen: number): Failure {
  const { before, after } = nearest(reachable, target);
  const told = ({ lsn, time }: Moment) => `${new Date(time).toISOString()} (${formatLsn(lsn)})`;
  const can = [
    ...(before === undefined ? [] : [`up to ${told(before)} before it`]),
    ...(after === undefined ? [] : [`from ${told(after)} on after it`]),
  ].join(', and ');
  const isLater = target.kind === 'time' && target.instant.epochMilliseconds > seen;
  return new Failure('point.unreachable', `no base and journal here lead to ${targetText(target)}`, {
    hint:
      (can === '' ? 'There is no base of this server on that timeline.' : `What can be restored: ${can}.`) +
      (isLater ? ' For the last moment that is known: --to latest.' : ''),
  });
}

/** As it is typed. */
export function targetText(target: RecoveryTarget): string {
  switch (target.kind) {
    case 'time':
      return target.instant.toString();
    case 'lsn':
      return formatLsn(target.lsn);
    case 'xid':
      return `xid:${target.xid}`;
    case 'name':
      return `name:${target.name}`;
    default:
      return target.kind;
  }
}

function noBase(systemId: string | undefined): Failure {
  const of = systemId === undefined ? '' : ` of system ${systemId}`;
  return new Failure('snapshot.not-found', `there is no base${of} in this repository`, {
    hint: 'Take one: holdfast postgres backup --url URL. holdfast postgres points lists those that there are.',
  });
}

/** Milliseconds; a journal that runs brings what happens within its RPO. */
const OLD = 900_000;
/** Where a role may not read the setting: what initdb chooses unless told otherwise. */
const USUAL_SEGMENT_SIZE = '16MB';
