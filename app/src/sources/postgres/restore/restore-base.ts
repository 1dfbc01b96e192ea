import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  type Clock,
  dumpPath,
  Failure,
  type IndexedRepository,
  type RestoreProblem,
  type RestoreWatch,
  restoreSnapshot,
  type StoredSnapshot,
} from '@holdfast/engine';
import { BASE_FOLDER, type BaseRecord, readBaseRecord } from '../base/base-record.ts';
import { findPlaces, makeDirectory, removeStrangers } from './base-places.ts';
import { defaultOwner, giveTo, type Owner } from './ownership.ts';
import { writeRecovery } from './recovery-files.ts';
import type { Recovery } from './recovery-settings.ts';
import { beginUnfinished, endUnfinished } from './unfinished.ts';

export interface BaseRestoreOptions {
  readonly clock: Clock;
  /** A new or empty directory, or one in which a restore of the same system was cut off. */
  readonly target: string;
  /** A data directory too: what differs is written, what the base does not have goes. Not unless said so. */
  readonly delta?: boolean;
  /** Even one of another system. */
  readonly otherSystem?: boolean;
  /** Where tablespaces go, by their oid; below `<target>.tablespaces/` those that are not named. */
  readonly tablespaces?: ReadonlyMap<number, string>;
  /** Replay WAL up to a moment; without it the base alone, as of when it ended. */
  readonly recovery?: Recovery;
  /** Whom everything is to belong to. As root the ids of the server's own user unless said otherwise. */
  readonly owner?: Owner;
  readonly signal?: AbortSignal;
  readonly onStart?: (watch: RestoreWatch) => void;
}

export interface BaseRestoreResult {
  readonly record: BaseRecord;
  readonly tablespaces: readonly { readonly oid: number; readonly directory: string }[];
  /** Bytes written. */
  readonly bytes: number;
  /** Entries that were there and are not in the base. */
  readonly deleted: number;
  /** Milliseconds. */
  readonly took: number;
}

/**
 * Brings a base back as a data directory that a server of the same major version starts from. Nothing that is there is
 * overwritten unless that was said. A file that cannot be restored makes the whole restore fail: a server would start and
 * fall over it later. Cut off at any time, it leaves a directory that no server starts from, and the same call goes on.
 */
export async function restoreBase(
  indexed: IndexedRepository,
  snapshot: StoredSnapshot,
  options: BaseRestoreOptions,
): Promise<BaseRestoreResult> {
  const { clock, signal, recovery, delta = false, otherSystem = false } = options;
  const startedAt = clock.now();
  const target = path.resolve(options.target);
  const record = await readBaseRecord(indexed, snapshot, signal);
  const found = await findPlaces(
    indexed,
    { snapshot, record },
    { target, delta, otherSystem, tablespaces: options.tablespaces, signal },
  );
  const owner = options.owner ?? (await defaultOwner(target, record.owner));
  const tablespaces = found.places.flatMap(({ oid, directory }) =>
    oid === undefined ? [] : { oid, directory },
  );
  for (const { directory } of found.places) await makeDirectory(directory);
  await beginUnfinished(target, {
    systemId: record.systemId,
    tablespaces: Object.fromEntries(tablespaces.map(({ oid, directory }) => [oid, directory])),
  });

  const problems: RestoreProblem[] = [];
  const onProblem = (problem: RestoreProblem) => problems.push(problem);
  const common = { onProblem, ...(signal === undefined ? {} : { signal }) };
  const isEmpty = found.state.kind === 'new';
  // Deleting first: of a link in the way, what it leads to must not be taken for a part of the base.
  const deleted = isEmpty ? 0 : await removeStrangers(indexed, snapshot, found.places, common);
  let bytes = 0;
  for (const { folder, directory, rules } of found.places) {
    const { counts } = await restoreSnapshot(
      indexed,
      { tree: snapshot.tree, subfolder: folder },
      {
        ...common,
        clock,
        target: directory,
        rules,
        ownership: 'none',
        // A server asks for the space of its files before it uses them; holes would take that away again.
        sparse: false,
        ...(options.onStart === undefined ? {} : { onStart: options.onStart }),
      },
    );
    bytes += counts.bytesWritten;
  }
  refuseIncomplete(problems, target);

  await linkTablespaces(target, tablespaces);
  if (recovery !== undefined) await writeRecovery(target, recovery);
  await chmod(target, record.settings['data_directory_mode'] === '0750' ? 0o750 : 0o700);
  if (owner !== undefined) for (const { directory } of found.places) await giveTo(owner, directory);
  await endUnfinished(target, await controlFile(indexed, snapshot, signal), owner);
  return { record, tablespaces, bytes, deleted, took: clock.now() - startedAt };
}

async function controlFile(
  indexed: IndexedRepository,
  snapshot: StoredSnapshot,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const { bytes } = await dumpPath(indexed, snapshot.tree, `${BASE_FOLDER}/global/pg_control`, {
    // Only of folders is anything left out.
    onProblem: () => undefined,
    ...(signal === undefined ? {} : { signal }),
  });
  return Buffer.concat(await Array.fromAsync(bytes));
}

function refuseIncomplete(problems: readonly RestoreProblem[], target: string): void {
  const [first] = problems;
  if (first === undefined) return;
  throw new Failure('incomplete', `${first.path} could not be restored: ${first.message}`, {
    subject: target,
    hint:
      `${problems.length} files of this base did not come back. Do not start a server on it: ` +
      'choose another base (holdfast postgres points), and see what is damaged with holdfast repo check.',
  });
}

/**
 * The server makes its links to tablespaces itself when it first starts, from this file: an oid and a directory a line,
 * line breaks and backslashes escaped by a backslash.
 */
async function linkTablespaces(target: string, tablespaces: BaseRestoreResult['tablespaces']): Promise<void> {
  if (tablespaces.length === 0) return;
  const lines = tablespaces.map(({ oid, directory }) => `${oid} ${directory.replace(/[\n\r\\]/g, '\\$&')}\n`);
  await writeFile(path.join(target, 'tablespace_map'), lines.join(''), { mode: 0o600 });
}
