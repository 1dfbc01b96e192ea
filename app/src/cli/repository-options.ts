import { type BackendSettings, Failure } from '@holdfast/engine';
import type { Command } from 'commander';
import { type CacheFlags, chooseCacheDirectory } from './cache-directory.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './global-options.ts';
import { runPasswordCommand } from './password-command.ts';
import { Secret } from './secret.ts';
import { addStorageOptions, resolveSettings, type StorageFlags } from './storage-options.ts';
import type { Environment } from './terminal.ts';
import { readTextFile } from './text-file.ts';

export interface RepositoryFlags extends CacheFlags, StorageFlags {
  readonly repo?: string;
  readonly repositoryFile?: string;
  readonly passwordFile?: string;
  readonly passwordCommand?: string;
}

/** All that is needed to open a repository. */
export interface RepositoryAccess {
  /** In restic's notation. It may hold a login (`rest:https://user:password@…`): show `Backend.location` instead. */
  readonly location: string;
  readonly password: Secret;
  /** How to reach it; nothing for a directory. */
  readonly settings?: BackendSettings;
  /** Absent with `--no-cache`. */
  readonly cacheDirectory: string | undefined;
  readonly lock: boolean;
  /** Milliseconds. */
  readonly retryLock: number;
}

/** Where a value comes from; `name` is the option or variable, for messages. */
export type ValueSource =
  | { readonly kind: 'text'; readonly text: string; readonly name: string }
  | { readonly kind: 'file'; readonly path: string; readonly name: string }
  | { readonly kind: 'command'; readonly command: string; readonly name: string };

type Candidate = readonly [kind: ValueSource['kind'], name: string, value: string | undefined];

const NO_REPOSITORY = new Failure('usage', 'no repository was given', {
  hint: 'Name it with --repo, or in HOLDFAST_REPOSITORY or HOLDFAST_REPOSITORY_FILE.',
});

/** What names a repository, without what opens it. */
export function addPlaceOptions(command: Command): Command {
  return command
    .optionsGroup('Repository:')
    .option('-r, --repo <address>', 'where it is, in restic’s notation (HOLDFAST_REPOSITORY)')
    .option('--repository-file <file>', 'a file with the address in it (HOLDFAST_REPOSITORY_FILE)');
}

export function addRepositoryOptions(command: Command): Command {
  const extended = addPlaceOptions(command)
    .option('-p, --password-file <file>', 'a file with the password in it (HOLDFAST_PASSWORD_FILE)')
    .option('--password-command <command>', 'a command that prints the password (HOLDFAST_PASSWORD_COMMAND)')
    .option('--cache-dir <directory>', 'where caches lie (HOLDFAST_CACHE_DIR)')
    .option('--no-cache', 'use no cache');
  return addStorageOptions(extended);
}

/**
 * Where the address comes from: options come before HOLDFAST_… variables, those before RESTIC_… variables. An address
 * and a file with an address at the same level contradict each other. Empty means not given.
 */
export function chooseLocation(flags: RepositoryFlags, environment: Environment): ValueSource | undefined {
  return firstLevel([
    [
      ['text', '--repo', flags.repo],
      ['file', '--repository-file', flags.repositoryFile],
    ],
    ...['HOLDFAST', 'RESTIC'].map((prefix): Candidate[] => [
      ['text', `${prefix}_REPOSITORY`, environment[`${prefix}_REPOSITORY`]],
      ['file', `${prefix}_REPOSITORY_FILE`, environment[`${prefix}_REPOSITORY_FILE`]],
    ]),
  ]);
}

/** Where the password comes from, by the same rule. */
export function choosePassword(flags: RepositoryFlags, environment: Environment): ValueSource | undefined {
  return firstLevel([
    [
      ['file', '--password-file', flags.passwordFile],
      ['command', '--password-command', flags.passwordCommand],
    ],
    ...['HOLDFAST', 'RESTIC'].flatMap((prefix): Candidate[][] => [
      [
        ['file', `${prefix}_PASSWORD_FILE`, environment[`${prefix}_PASSWORD_FILE`]],
        ['command', `${prefix}_PASSWORD_COMMAND`, environment[`${prefix}_PASSWORD_COMMAND`]],
      ],
      // As in restic a file or a command comes before the plain variable, and does not contradict it.
      [['text', `${prefix}_PASSWORD`, environment[`${prefix}_PASSWORD`]]],
    ]),
  ]);
}

/** Where a repository is and how it is reached: enough for whoever does not look into it. */
export type RepositoryPlace = Required<Pick<RepositoryAccess, 'location' | 'settings'>>;

export async function resolvePlace(flags: RepositoryFlags, context: Context): Promise<RepositoryPlace> {
  const location = chooseLocation(flags, context.environment);
  if (location === undefined) throw NO_REPOSITORY;
  return {
    location: (await readSource(location, 'repository file', context)).reveal(),
    settings: await resolveSettings(flags, context.environment),
  };
}

/** Opens nothing yet: reads the files, runs the command or asks. */
export async function resolveAccess(
  flags: RepositoryFlags,
  globals: GlobalOptions,
  context: Context,
  occasion: 'open' | 'create' = 'open',
): Promise<RepositoryAccess> {
  const place = await resolvePlace(flags, context);
  return {
    ...place,
    password: await resolvePassword(
      choosePassword(flags, context.environment),
      'Password: ',
      occasion,
      context,
    ),
    cacheDirectory: chooseCacheDirectory(flags, context.environment, context.homeDirectory),
    lock: globals.lock,
    retryLock: globals.retryLock,
  };
}

/** A password from its source, or asked for on the terminal: twice where it will be set and a slip would lock out. */
export async function resolvePassword(
  source: ValueSource | undefined,
  question: string,
  occasion: 'open' | 'create',
  context: Context,
): Promise<Secret> {
  const password =
    source === undefined
      ? await ask(question, occasion, context)
      : await readSource(source, 'password file', context);
  if (password.empty) {
    throw new Failure('usage', 'the password is empty', {
      ...(source === undefined ? {} : { subject: source.name }),
      hint: 'A repository needs one: whoever can read the storage could read everything otherwise.',
    });
  }
  return password;
}

async function ask(question: string, occasion: 'open' | 'create', context: Context): Promise<Secret> {
  if (context.askSecret === undefined) {
    throw new Failure('usage', 'no password was given, and there is no terminal to ask on', {
      hint: 'Give --password-file or --password-command, or set HOLDFAST_PASSWORD.',
    });
  }
  const password = await context.askSecret(question, context.signal);
  if (
    occasion === 'create' &&
    !password.equals(await context.askSecret('The same again: ', context.signal))
  ) {
    throw new Failure('usage', 'the two passwords differ');
  }
  return password;
}

async function readSource(source: ValueSource, purpose: string, context: Context): Promise<Secret> {
  if (source.kind === 'text') return new Secret(source.text);
  if (source.kind === 'file') return new Secret(await readTextFile(source.path, purpose));
  return runPasswordCommand(source.command, context);
}

/** The one value of the first level that has any. */
function firstLevel(levels: readonly (readonly Candidate[])[]): ValueSource | undefined {
  for (const level of levels) {
    const given = level.filter(([, , value]) => value !== undefined && value !== '');
    const [first, second] = given;
    if (first !== undefined && second !== undefined) {
      throw new Failure('usage', `${first[1]} and ${second[1]} contradict each other: give only one`);
    }
    if (first !== undefined) return sourceOf(first);
  }
  return undefined;
}

function sourceOf([kind, name, value = '']: Candidate): ValueSource {
  if (kind === 'text') return { kind, name, text: value };
  return kind === 'file' ? { kind, name, path: value } : { kind, name, command: value };
}
