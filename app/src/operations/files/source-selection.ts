import { existsSync, readdirSync } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  expandGlob,
  Failure,
  type PatternFile,
  parseFilesFrom,
  parseFilesFromRaw,
  parseFilesFromVerbatim,
  pathBytes,
  pathText,
  type Root,
  type SelectionRules,
  selectionRules,
} from '@holdfast/engine';
import type { BackupRequest } from '../../cli/commands/files/backup.ts';
import type { Machine } from '../machine.ts';

type SelectionMachine = Pick<Machine, 'environment' | 'workingDirectory'>;

/** What a backup looks at, and what of it is left out. */
export interface SourceSelection {
  /** As bytes: names need not be UTF-8. At least one. */
  readonly paths: readonly Buffer[];
  readonly rules: SelectionRules;
}

/** Reads all lists and pattern files of the request. What cannot be read or understood is a `usage` failure. */
export async function readSelection(
  request: BackupRequest,
  machine: SelectionMachine,
): Promise<SourceSelection> {
  const paths = await listPaths(request);
  if (paths.length === 0) {
    throw new Failure('usage', 'the lists of files name nothing to save', {
      hint: 'An empty list is more often a mistake than a wish, so no empty snapshot is made of it.',
    });
  }
  const { exclude, iexclude, excludeCaches, excludeIfPresent, excludeLargerThan } = request;
  const rules = selectionRules({
    ...(exclude === undefined ? {} : { exclude }),
    ...(iexclude === undefined ? {} : { iexclude }),
    excludeFiles: await readPatternFiles(request.excludeFile, '--exclude-file'),
    iexcludeFiles: await readPatternFiles(request.iexcludeFile, '--iexclude-file'),
    excludeCaches: excludeCaches ?? false,
    excludeIfPresent: excludeIfPresent ?? [],
    ...(excludeLargerThan === undefined ? {} : { excludeLargerThan: excludeLargerThan.toString() }),
    ...(request.oneFileSystem === true ? { roots: await rootsOf(paths, machine.workingDirectory) } : {}),
    environment: (name) => machine.environment[name],
  });
  return { paths, rules };
}

async function listPaths(request: BackupRequest): Promise<Buffer[]> {
  const lists = async (
    files: readonly string[] = [],
    option: string,
    parse: (bytes: Uint8Array) => Buffer[],
  ) => {
    const parsed: Buffer[] = [];
    for (const file of files) parsed.push(...parse(await readList(file, option)));
    return parsed;
  };
  return [
    ...request.paths.map(pathBytes),
    ...(await lists(request.filesFrom, '--files-from', (bytes) =>
      parseFilesFrom(bytes).flatMap((pattern) => expandGlob(pattern, folders)),
    )),
    ...(await lists(request.filesFromVerbatim, '--files-from-verbatim', parseFilesFromVerbatim)),
    ...(await lists(request.filesFromRaw, '--files-from-raw', parseFilesFromRaw)),
  ];
}

const folders = {
  list: (path: Buffer) => {
    try {
      return readdirSync(path, 'buffer');
    } catch {
      return undefined;
    }
  },
  exists: (path: Buffer) => existsSync(path),
};

async function readPatternFiles(files: readonly string[] = [], option: string): Promise<PatternFile[]> {
  return await Promise.all(files.map(async (name) => ({ name, content: await readList(name, option) })));
}

/** `-` is standard input, as in restic. */
async function readList(file: string, option: string): Promise<Uint8Array> {
  try {
    return await readFile(file === '-' ? '/dev/stdin' : file);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new Failure('usage', `the file of ${option} cannot be read (${code})`, { subject: file, cause });
  }
}

/** A path that is not there is told by the backup itself. */
async function rootsOf(paths: readonly Buffer[], workingDirectory: string): Promise<Root[]> {
  const roots: Root[] = [];
  for (const path of paths) {
    try {
      const { dev } = await lstat(path, { bigint: true });
      roots.push({ path: resolve(workingDirectory, pathText(path)), device: dev });
    } catch {
      // Not there: nothing to stay on.
    }
  }
  return roots;
}
