import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Clock, IndexedRepository, RestoreWatch } from '@holdfast/engine';
import type { BaseRecord } from '../base/base-record.ts';
import { walPlace } from '../journal/wal-slices.ts';
import { fetchWal } from './fetch-wal.ts';
import { defaultOwner, giveTo, type Owner } from './ownership.ts';
import type { MomentPlan } from './plan-moment.ts';
import { restoreBase } from './restore-base.ts';
import { inspectTarget, refuseTarget } from './target-directory.ts';

export interface MomentOptions {
  /** New or empty, or one in which a restore of the same system was cut off. */
  readonly directory: string;
  /** A data directory too: what differs is written, what the base does not have goes. Not unless said so. */
  readonly delta?: boolean;
  /** Even one of another system. */
  readonly otherSystem?: boolean;
  /** Whom everything is to belong to; `defaultOwner` unless said otherwise. */
  readonly owner?: Owner;
  /** Where tablespaces go, by their oid; below `<directory>.tablespaces/` those that are not named. */
  readonly tablespaces?: ReadonlyMap<number, string>;
  /** What the server does when it is there: take writes, or wait and let itself be read. */
  readonly action: 'promote' | 'pause';
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** Called when a phase begins to write. */
  readonly onStart?: (watch: RestoreWatch, phase: 'wal' | 'base') => void;
}

export interface RestoredMoment {
  readonly directory: string;
  /** Beside the data; nothing needs it once the server has recovered. */
  readonly walDirectory: string;
  readonly record: BaseRecord;
  readonly tablespaces: readonly { readonly oid: number; readonly directory: string }[];
  /** Bytes written. */
  readonly bytes: { readonly base: number; readonly wal: number };
  /** Entries of the directory that the base does not have. */
  readonly deleted: number;
  /** Milliseconds. */
  readonly took: { readonly base: number; readonly wal: number };
}

/**
 * Writes what a plan says: WAL, base, settings. A server of the same major version that starts on the directory replays up to
 * the moment by itself, with `cp` alone. WAL comes first: without it a server would come up too early, and not say so.
 */
export async function restoreMoment(
  indexed: IndexedRepository,
  plan: MomentPlan,
  options: MomentOptions,
): Promise<RestoredMoment> {
  const { clock, signal, onStart, action } = options;
  const directory = path.resolve(options.directory);
  const walDirectory = walDirectoryOf(directory);
  const { record, snapshot } = plan.base;
  const owner = options.owner ?? (await defaultOwner(directory, record.owner));
  const startedAt = clock.now();
  // Before anything is written, also beside it.
  refuseTarget(directory, await inspectTarget(directory), {
    systemId: plan.systemId,
    delta: options.delta ?? false,
    otherSystem: options.otherSystem ?? false,
  });
  const common = { clock, ...(signal === undefined ? {} : { signal }) };
  const walBytes = await fetchWal(indexed, [...plan.histories, ...plan.wal], {
    ...common,
    place: walPlace(plan.systemId),
    directory: walDirectory,
    onStart: (watch) => onStart?.(watch, 'wal'),
  });
  if (owner !== undefined) await giveTo(owner, walDirectory);
  const walTook = clock.now() - startedAt;
  const { target, timeline, inclusive } = plan;
  const { tablespaces, bytes, deleted, took } = await restoreBase(indexed, snapshot, {
    ...common,
    target: directory,
    delta: options.delta ?? false,
    otherSystem: options.otherSystem ?? false,
    ...(options.tablespaces === undefined ? {} : { tablespaces: options.tablespaces }),
    recovery: { walDirectory, target, timeline, inclusive, action },
    ...(owner === undefined ? {} : { owner }),
    onStart: (watch) => onStart?.(watch, 'base'),
  });
  return {
    directory,
    walDirectory,
    record,
    tablespaces,
    bytes: { base: bytes, wal: walBytes },
    deleted,
    took: { base: took, wal: walTook },
  };
}

/** Beside the data, not in it: a base of the restored server would have it otherwise. */
export function walDirectoryOf(directory: string): string {
  return `${directory}.wal`;
}

/** When the server has recovered. */
export async function removeFetchedWal({
  walDirectory,
}: Pick<RestoredMoment, 'walDirectory'>): Promise<void> {
  await rm(walDirectory, { recursive: true, force: true });
}
