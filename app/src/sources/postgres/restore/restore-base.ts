import { appendFile, chmod, lchown, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  type Clock,
  Failure,
  type IndexedRepository,
  type RestoreProblem,
  type RestoreWatch,
  restoreSnapshot,
  type StoredSnapshot,
} from '@holdfast/engine';
import { BASE_FOLDER, type BaseRecord, readBaseRecord } from '../base/base-record.ts';
import { configurationLines, type Recovery, recoverySettings } from './recovery-settings.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface BaseRestoreOptions {
  readonly clock: Clock;
  /** A new or empty directory. */
  readonly target: string;
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
  /** Milliseconds. */
  readonly took: number;
}

/**
 * Brings a base back as a data directory that a server of the same major version starts from. Nothing that is there is
 * overwritten. A file that cannot be restored makes the whole restore fail: a server would start and fall over it later.
 */
export async function restoreBase(
  indexed: IndexedRepository,
  snapshot: StoredSnapshot,
  options: BaseRestoreOptions,
): Promise<BaseRestoreResult> {
  const { clock, signal, recovery } = options;
  const startedAt = clock.now();
  const target = path.resolve(options.target);
  const record = await readBaseRecord(indexed, snapshot, signal);
  const tablespaces = record.tablespaces.map(({ oid }) => ({
    oid,
    directory: path.resolve(options.tablespaces?.get(oid) ?? `${target}.tablespaces/${oid}`),
  }));
  for (const place of [target, ...tablespaces.map(({ directory }) => directory)]) await makeEmpty(place);

  const problems: RestoreProblem[] = [];
  let bytes = 0;
  const bring = async (subfolder: string, place: string, exclude: readonly string[]) => {
    const { counts } = await restoreSnapshot(
      indexed,
      { tree: snapshot.tree, subfolder },
      {
        clock,
        target: place,
        rules: { exclude },
        ownership: 'none',
        // A server asks for the space of its files before it uses them; holes would take that away again.
        sparse: false,
        onProblem: (problem) => problems.push(problem),
        ...(signal === undefined ? {} : { signal }),
        ...(options.onStart === undefined ? {} : { onStart: options.onStart }),
      },
    );
    bytes += counts.bytesWritten;
  };
  await bring(BASE_FOLDER, target, [...NOT_BROUGHT, ...tablespaces.map(({ oid }) => `/pg_tblspc/${oid}`)]);
  for (const { oid, directory } of tablespaces) await bring(`${BASE_FOLDER}/pg_tblspc/${oid}`, directory, []);
  refuseIncomplete(problems, target);

  await linkTablespaces(target, tablespaces);
  if (recovery !== undefined) await writeRecovery(target, recovery);
  await chmod(target, record.settings['data_directory_mode'] === '0750' ? 0o750 : 0o700);
  const owner = options.owner ?? (process.getuid?.() === 0 ? record.owner : undefined);
  if (owner !== undefined) {
    for (const place of [target, ...tablespaces.map(({ directory }) => directory)])
      await giveTo(owner, place);
  }
  return { record, tablespaces, bytes, took: clock.now() - startedAt };
}

/**
 * Where tablespaces go is written anew; and a base of a standby would wait for its primary for ever, did it still say that it
 * is one.
 */
const NOT_BROUGHT = ['/tablespace_map', '/standby.signal', '/recovery.signal'];

/** Closed to others from the first moment on. */
async function makeEmpty(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    if ((await readdir(directory)).length === 0) return;
  } catch (cause) {
    throw new Failure('target.write', `${directory} cannot be made or read (${codeOf(cause)})`, {
      subject: directory,
      cause,
    });
  }
  throw new Failure('target.not-empty', `${directory} is not empty`, {
    subject: directory,
    hint: 'A base is restored into a new or empty directory, so that nothing is lost by it.',
  });
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

/** postgresql.auto.conf is read wherever postgresql.conf lies, and after it. */
async function writeRecovery(target: string, recovery: Recovery): Promise<void> {
  const lines = configurationLines(recoverySettings(recovery));
  await appendFile(
    path.join(target, 'postgresql.auto.conf'),
    `# Written by Holdfast for this restore.\n${lines}`,
  );
  await writeFile(path.join(target, 'recovery.signal'), '', { mode: 0o600 });
}

async function giveTo({ uid, gid }: Owner, directory: string): Promise<void> {
  try {
    for (const entry of await readdir(directory, { recursive: true })) {
      await lchown(path.join(directory, entry), uid, gid);
    }
    await lchown(directory, uid, gid);
  } catch (cause) {
    throw new Failure('target.write', `${directory} cannot be given to user ${uid} (${codeOf(cause)})`, {
      subject: directory,
      hint: 'Only root can give files away.',
      cause,
    });
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
