import { CONFIG, type FileType, type ListedFile } from '../backend.ts';
import { belongsIn, directoriesOf } from '../layout.ts';
import { type DirectoryEntry, readDirectory, statusOf } from './calls.ts';
import { sizeOf } from './load.ts';
import { pathBelow } from './remote-path.ts';
import type { SftpSession } from './session.ts';
import { hasStatus, STATUS } from './status.ts';

/**
 * The finished files of one type, directory by directory, the next ones asked for while this one is worked through. A
 * directory that is missing is empty, a file that goes away meanwhile was never there.
 */
export async function* listFiles(
  session: SftpSession,
  root: string,
  type: FileType,
  signal?: AbortSignal,
): AsyncGenerator<ListedFile> {
  if (type === 'config') {
    const size = await unlessMissing(sizeOf(session, pathBelow(root, CONFIG.name), signal));
    if (size !== undefined) yield { name: CONFIG.name, size };
    return;
  }
  const waiting = [...directoriesOf(type)];
  const asked: Promise<ListedFile[]>[] = [];
  for (;;) {
    while (asked.length < DIRECTORIES_AHEAD) {
      const directory = waiting.shift();
      if (directory === undefined) break;
      const listing = filesIn(session, { root, type, directory }, signal);
      // Whoever leaves early or fails does not wait for those behind.
      listing.catch(() => undefined);
      asked.push(listing);
    }
    const next = asked.shift();
    if (next === undefined) return;
    for (const file of await next) {
      signal?.throwIfAborted();
      yield file;
    }
  }
}

interface Folder {
  readonly root: string;
  readonly type: FileType;
  readonly directory: string;
}

async function filesIn(
  session: SftpSession,
  { root, type, directory }: Folder,
  signal?: AbortSignal,
): Promise<ListedFile[]> {
  const path = pathBelow(root, directory);
  const entries = (await unlessMissing(readDirectory(session, path, signal))) ?? [];
  const ours = entries.filter(({ name }) => belongsIn(type, directory, name));
  const files = await Promise.all(
    ours.map((entry) => fileAt(session, pathBelow(path, entry.name), entry, signal)),
  );
  return files.filter((file) => file !== undefined);
}

/** The entry itself says enough, unless it is a link or the server sparing of words. */
async function fileAt(
  session: SftpSession,
  path: string,
  entry: DirectoryEntry,
  signal?: AbortSignal,
): Promise<ListedFile | undefined> {
  const { name } = entry;
  const known = entry.mode !== undefined && entry.size !== undefined;
  const settled = known && kindOf(entry.mode) !== SYMBOLIC_LINK;
  const { mode = REGULAR, size } = settled
    ? entry
    : ((await unlessMissing(statusOf(session, path, signal))) ?? {});
  return size !== undefined && kindOf(mode) === REGULAR ? { name, size } : undefined;
}

async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (hasStatus(error, STATUS.noSuchFile)) return undefined;
    throw error;
  }
}

function kindOf(mode: number): number {
  return mode & 0o170000;
}

const DIRECTORIES_AHEAD = 16;
const REGULAR = 0o100000;
const SYMBOLIC_LINK = 0o120000;
