import { open, readdir, readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import { Failure } from '@holdfast/engine';
import { codeOf } from './ownership.ts';
import { readUnfinished, UNFINISHED_FOLDER } from './unfinished.ts';

/** What is where a restore wants to write. */
export type TargetState =
  /** Not there, or empty. */
  | { readonly kind: 'new' }
  /** Left by a restore that was cut off, together with these tablespaces. */
  | {
      readonly kind: 'unfinished';
      readonly systemId: string;
      readonly tablespaces: ReadonlyMap<number, string>;
    }
  | Cluster
  /** Something else; `found` is the name of an entry. */
  | { readonly kind: 'strange'; readonly found: string };

/** A data directory of PostgreSQL. */
export interface Cluster {
  readonly kind: 'cluster';
  readonly systemId: string;
  readonly major: string;
  /** Process id of a server that runs on it. */
  readonly runningAs?: number;
  /** Where its tablespaces are, by oid. */
  readonly tablespaces: ReadonlyMap<number, string>;
  /** Where pg_wal is, when that is a link to elsewhere. */
  readonly walLink?: string;
}

/** Looks, changes nothing. */
export async function inspectTarget(directory: string): Promise<TargetState> {
  // Cut off while it was made, our folder is there and says nothing yet.
  const first = (await namesIn(directory)).find((name) => name !== UNFINISHED_FOLDER);
  const unfinished = await readUnfinished(directory);
  if (unfinished !== undefined) {
    const tablespaces = Object.entries(unfinished.tablespaces).map(
      ([oid, place]) => [Number(oid), place] as const,
    );
    return { kind: 'unfinished', systemId: unfinished.systemId, tablespaces: new Map(tablespaces) };
  }
  if (first === undefined) return { kind: 'new' };
  const [systemId, major] = await Promise.all([systemOf(directory), versionOf(directory)]);
  if (systemId === undefined || major === undefined) return { kind: 'strange', found: first };
  const runningAs = await runningServer(directory);
  const walLink = await linkTarget(path.join(directory, 'pg_wal'));
  return {
    kind: 'cluster',
    systemId,
    major,
    tablespaces: await tablespacesOf(directory),
    ...(runningAs === undefined ? {} : { runningAs }),
    ...(walLink === undefined ? {} : { walLink }),
  };
}

export interface OverwriteRules {
  /** Of the base. */
  readonly systemId: string;
  /** A data directory may be written over. */
  readonly delta: boolean;
  /** Also one of another system. */
  readonly otherSystem: boolean;
}

/** Throws `target.not-empty` or `target.unsafe` for a directory that must not be written into. */
export function refuseTarget(directory: string, state: TargetState, rules: OverwriteRules): void {
  switch (state.kind) {
    case 'new':
      return;
    case 'strange':
      throw notEmpty(directory, `it holds ${state.found}, and is no data directory of PostgreSQL`);
    case 'unfinished':
      if (state.systemId === rules.systemId || rules.otherSystem) return;
      throw otherSystem(directory, state.systemId);
    case 'cluster':
      if (state.runningAs !== undefined) {
        throw new Failure('target.unsafe', `a server runs on ${directory} (process ${state.runningAs})`, {
          subject: directory,
          hint: 'Stop it first: pg_ctl stop. If no server runs there, its postmaster.pid is left over: remove that.',
        });
      }
      if (!rules.delta) throw notEmpty(directory, 'it is a data directory');
      if (state.systemId !== rules.systemId && !rules.otherSystem)
        throw otherSystem(directory, state.systemId);
  }
}

function notEmpty(directory: string, why: string): Failure {
  return new Failure('target.not-empty', `${directory} is not empty: ${why}`, {
    subject: directory,
    hint:
      'A server is restored into a new or empty directory, so that nothing is lost by it. ' +
      'A data directory of the same server can be brought to the moment with --delta, once a plan was agreed to.',
  });
}

function otherSystem(directory: string, systemId: string): Failure {
  return new Failure('target.unsafe', `${directory} is of another server, system ${systemId}`, {
    subject: directory,
    hint: 'Is it the right directory? If all that is in it may go: --other-system.',
  });
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return [];
    throw new Failure('target.write', `${directory} cannot be read (${codeOf(cause)})`, {
      subject: directory,
      cause,
    });
  }
}

/** The first eight bytes of the control file, in all versions. */
async function systemOf(directory: string): Promise<string | undefined> {
  try {
    await using file = await open(path.join(directory, 'global/pg_control'));
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
    return bytesRead === 8 ? buffer.readBigUInt64LE().toString() : undefined;
  } catch (error) {
    return absent(error);
  }
}

async function versionOf(directory: string): Promise<string | undefined> {
  try {
    return (await readFile(path.join(directory, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    return absent(error);
  }
}

/** A number that lives may belong to another program by now; then somebody has to look. */
async function runningServer(directory: string): Promise<number | undefined> {
  let text: string;
  try {
    text = await readFile(path.join(directory, 'postmaster.pid'), 'utf8');
  } catch (error) {
    return absent(error);
  }
  const id = Math.abs(Number.parseInt(text, 10));
  if (!(id > 0)) return undefined;
  try {
    process.kill(id, 0);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return undefined;
  }
  return id;
}

async function tablespacesOf(directory: string): Promise<Map<number, string>> {
  const folder = path.join(directory, 'pg_tblspc');
  const places = new Map<number, string>();
  for (const name of await namesIn(folder)) {
    const place = await linkTarget(path.join(folder, name));
    if (/^\d+$/.test(name) && place !== undefined) places.set(Number(name), place);
  }
  return places;
}

async function linkTarget(name: string): Promise<string | undefined> {
  try {
    return path.resolve(path.dirname(name), await readlink(name));
  } catch (error) {
    if (codeOf(error) === 'EINVAL') return undefined;
    return absent(error);
  }
}

function absent(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') throw error;
}
