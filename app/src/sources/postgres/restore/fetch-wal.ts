import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import {
  type Clock,
  Failure,
  type IndexedRepository,
  type RestoreProblem,
  type RestoreWatch,
  restoreSnapshot,
} from '@holdfast/engine';
import type { JournalPlace } from '../../../journal/slice.ts';
import { PARTIAL } from '../../../journal/spool-files.ts';
import type { StoredWalFile } from '../journal/stored-journal.ts';

export interface WalFetchOptions {
  readonly place: JournalPlace;
  /** New, empty, or with WAL of an earlier attempt: what of it is right stays, what is not wanted goes. */
  readonly directory: string;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly onStart?: (watch: RestoreWatch) => void;
}

/**
 * Brings WAL into a directory, for `restore_command = 'cp …/%f "%p"'`. A partial segment gets its whole name, since
 * recovery asks for no other and ends by itself where the records end. Answers the bytes that were written.
 */
export async function fetchWal(
  indexed: IndexedRepository,
  files: readonly StoredWalFile[],
  options: WalFetchOptions,
): Promise<number> {
  const { directory, signal } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await clear(directory, new Set(files.map(({ name }) => wholeName(name))));
  let bytes = 0;
  for (const ofSlice of Map.groupBy(files, ({ slice }) => slice.id).values()) {
    signal?.throwIfAborted();
    bytes += await fetchSlice(indexed, ofSlice, options);
  }
  for (const { name } of files) {
    if (name.endsWith(PARTIAL))
      await rename(path.join(directory, name), path.join(directory, wholeName(name)));
  }
  return bytes;
}

/** WAL of another moment would be replayed just the same. What is no WAL was not put there by us, and is left alone. */
async function clear(directory: string, wanted: ReadonlySet<string>): Promise<void> {
  const names = await readdir(directory);
  const strange = names.find((name) => !WAL_NAME.test(name));
  if (strange !== undefined) {
    throw new Failure('target.not-empty', `${directory} holds something that is no WAL: ${strange}`, {
      subject: directory,
      hint: 'WAL is fetched into a directory of its own, beside the data. Move what is there, or choose another target.',
    });
  }
  for (const name of names) if (!wanted.has(name)) await rm(path.join(directory, name));
}

async function fetchSlice(
  indexed: IndexedRepository,
  files: readonly StoredWalFile[],
  { place, directory, clock, signal, onStart }: WalFetchOptions,
): Promise<number> {
  const [first] = files;
  if (first === undefined) return 0;
  const { slice } = first;
  const problems: RestoreProblem[] = [];
  const all = files.length === slice.files.length;
  const { counts } = await restoreSnapshot(
    indexed,
    { tree: slice.tree, subfolder: place.directory.join('/') },
    {
      clock,
      target: directory,
      ...(all ? {} : { rules: { include: files.map(({ name }) => `/${name}`) } }),
      ownership: 'none',
      // Read at once and then removed: nobody gains from holes.
      sparse: false,
      onProblem: (problem) => problems.push(problem),
      ...(signal === undefined ? {} : { signal }),
      ...(onStart === undefined ? {} : { onStart }),
    },
  );
  const [problem] = problems;
  if (problem === undefined) return counts.bytesWritten;
  throw new Failure('incomplete', `${problem.path} could not be restored: ${problem.message}`, {
    subject: `journal slice ${slice.id.slice(0, 8)}`,
    hint: 'Recovery would end there without saying so. holdfast repo check tells what is damaged.',
  });
}

function wholeName(name: string): string {
  return name.endsWith(PARTIAL) ? name.slice(0, -PARTIAL.length) : name;
}

const WAL_NAME = /^([0-9A-F]{24}(\.partial)?|[0-9A-F]{8}\.history)$/;
