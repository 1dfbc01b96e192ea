import { type BackendSettings, Failure, type LimitOptions } from '@holdfast/engine';
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
  /** Bytes at which a new pack is finished; absent is the usual. */
  readonly packSize?: number;
  /** What it may be used at, in bytes and requests a second; beside what a command's own options say. */
  readonly limits?: Pick<LimitOptions, 'upload' | 'download' | 'requests'>;
  readonly lock: boolean;
  /** Milliseconds. */
  readonly retryLock: number;
}

/** Where a value comes from; `name` is the option or variable, for messages. */
export type ValueSource =
  | { readonly kind: 'text'; readonly text: string; readonly name: string }
  | { readonly kind: 'file'; readonly path: string; readonly name: string }
  | { readonly kind: 'command'; readonly command: string; readonly name: string };

/** Which of a command's repositories: how its options and variables begin, and how it is asked for. */
export interface RepositorySide {
  readonly option: string;
  readonly variable: string;
  readonly name: string;
}

/** The one that nearly every command has. */
const OWN_SIDE: RepositorySide = { option: '', variable: '', name: 'repository' };

type Candidate = readonly [kind: ValueSource['kind'], name: string, value: string | undefined];

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
export function chooseLocation(
  flags: RepositoryFlags,
  environment: Environment,
  { option, variable } = OWN_SIDE,
): ValueSource | undefined {
  return firstLevel([
    [
      ['text', `--${option}repo`, flags.repo],
      ['file', `--${option}repository-file`, flags.repositoryFile],
    ],
    ...PREFIXES.map((prefix): Candidate[] => [
      fromEnvironment('text', `${prefix}_${variable}REPOSITORY`, environment),
      fromEnvironment('file', `${prefix}_${variable}REPOSITORY_FILE`, environment),
    ]),
  ]);
}

/** Where the password comes from, by the same rule. */
export function choosePassword(
  flags: RepositoryFlags,
  environment: Environment,
  { option, variable } = OWN_SIDE,
): ValueSource | undefined {
  return firstLevel([
    [
      ['file', `--${option}password-file`, flags.passwordFile],
      ['command', `--${option}password-command`, flags.passwordCommand],
    ],
    ...PREFIXES.flatMap((prefix): Candidate[][] => [
      [
        fromEnvironment('file', `${prefix}_${variable}PASSWORD_FILE`, environment),
        fromEnvironment('command', `${prefix}_${variable}PASSWORD_COMMAND`, environment),
      ],
      // As in restic a file or a command comes before the plain variable, and does not contradict it.
      [fromEnvironment('text', `${prefix}_${variable}PASSWORD`, environment)],
    ]),
  ]);
}

const PREFIXES = ['HOLDFAST', 'RESTIC'] as const;

function fromEnvironment(kind: ValueSource['kind'], name: string, environment: Environment): Candidate {
  return [kind, name, environment[name]];
}

/** Where a repository is and how it is reached: enough for whoever does not look into it. */
export type RepositoryPlace = Required<Pick<RepositoryAccess, 'location' | 'settings'>>;

export async function resolvePlace(
  flags: RepositoryFlags,
  context: Context,
  side = OWN_SIDE,
): Promise<RepositoryPlace> {
  const { option, variable, name } = side;
  const location = chooseLocation(flags, context.environment, side);
  if (location === undefined) {
    throw new Failure('usage', `no ${name} was given`, {
      hint:
        `Name it with --${option}repo, or in HOLDFAST_${variable}REPOSITORY or ` +
        `HOLDFAST_${variable}REPOSITORY_FILE.`,
    });
  }
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
  side = OWN_SIDE,
): Promise<RepositoryAccess> {
  const { name } = side;
  const place = await resolvePlace(flags, context, side);
  return {
    ...place,
    password: await resolvePassword(
      choosePassword(flags, context.environment, side),
      side === OWN_SIDE ? 'Password: ' : `Password of the ${name}: `,
      occasion,
      context,
      side,
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
  side = OWN_SIDE,
): Promise<Secret> {
  const password =
    source === undefined
      ? await ask(question, occasion, context, side)
      : await readSource(source, 'password file', context);
  if (password.empty) {
    throw new Failure('usage', 'the password is empty', {
      ...(source === undefined ? {} : { subject: source.name }),
      hint: 'A repository needs one: whoever can read the storage could read everything otherwise.',
    });
  }
  return password;
}

async function ask(
  question: string,
  occasion: 'open' | 'create',
  context: Context,
  { option, variable, name }: RepositorySide,
): Promise<Secret> {
  if (context.askSecret === undefined) {
    const whose = option === '' ? '' : ` for the ${name}`;
    throw new Failure('usage', `no password was given${whose}, and there is no terminal to ask on`, {
      hint: `Give --${option}password-file or --${option}password-command, or set HOLDFAST_${variable}PASSWORD.`,
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
