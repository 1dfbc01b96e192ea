import {
  type Backend,
  beginLock,
  cache,
  createBackend,
  dryRun,
  Failure,
  isFailure,
  type LocalCache,
  limit,
  meter,
  openBackend,
  openRepository,
  parseAddress,
  type Repository,
  readOnly,
  retry,
  retryCall,
  takeLock,
} from '@holdfast/engine';
import type { Work } from '../cli/command-frame.ts';
import type { RepositoryAccess } from '../cli/repository-options.ts';
import { type Traffic, trafficOf } from '../cli/traffic.ts';
import type { Machine } from './machine.ts';
import { tellRetries } from './retry-story.ts';

export type AccessMachine = Pick<Machine, 'clock' | 'random'>;

/**
 * What is going to happen to the repository:
 * - `read`: nothing may be written but a shared lock; that it counts is learnt while reading has begun.
 * - `inspect`: a `read` that locks by itself, since it knows in which order to look.
 * - `write`: new files; it locks by itself, since it knows from when on the lock must count.
 * - `append`: new files, under a shared lock that counts.
 * - `remove`: files go; under an exclusive lock.
 * - `rehearse`: all of the work of a `write`, but nothing is written and nothing locked.
 * - `unlocked`: locks themselves are worked on.
 */
export type Intent = 'read' | 'inspect' | 'write' | 'append' | 'remove' | 'rehearse' | 'unlocked';

export interface OpenOptions {
  readonly intent: Intent;
  readonly signal: AbortSignal;
  /** KiB/s, as on the command line. */
  readonly limitUpload?: number;
  readonly limitDownload?: number;
  /** A second. */
  readonly limitRequests?: number;
  /** Where it is said why nothing moves. */
  readonly progress?: Pick<Work['progress'], 'note'>;
}

/** Gives back its lock and closes its backend when it is disposed of: removals count only then. */
export interface OpenedRepository extends AsyncDisposable {
  readonly repository: Repository;
  /** Aborts when the caller's does, when the lock turns out not to count, and when it is lost. */
  readonly signal: AbortSignal;
  /** What the place was asked for so far. */
  traffic(): Traffic;
}

/** Opens a repository and locks it as the intent wants. Rejects with `repository.missing`, `.wrong-password`, `.locked`. */
export async function openAccess(
  access: RepositoryAccess,
  options: OpenOptions,
  machine: AccessMachine,
): Promise<OpenedRepository> {
  refuseUnlockedWriting(access, options.intent);
  await using opening = new AsyncDisposableStack();
  const { backend, traffic } = await reach(access, options, machine, openBackend);
  let closing = backend;
  opening.defer(() => closing.close());
  const found = await openRepository(backend, access.password.reveal(), options.signal);
  closing = remember(backend, found.config.id, { access, options, machine });
  const { packSize } = access;
  const localCache = cacheOf({ access, options, machine });
  const repository = found.with({ packSize, localCache }).behind(() => guard(closing, access, options));
  const signal = await lockFor(repository, { access, options, machine, opening });
  const opened = opening.move();
  return { repository, signal, traffic, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** The place for a new repository, made ready. */
export async function makePlace(
  access: RepositoryAccess,
  signal: AbortSignal,
  machine: AccessMachine,
): Promise<Backend> {
  const options = { intent: 'unlocked', signal } as const;
  const { backend } = await reach(access, options, machine, createBackend);
  return guard(backend, access, options);
}

const LOCKED_HERE: readonly Intent[] = ['read', 'append', 'remove'];
const WITHOUT_LOCK: readonly Intent[] = ['read', 'inspect', 'rehearse'];

interface Locking {
  readonly access: RepositoryAccess;
  readonly options: OpenOptions;
  readonly machine: AccessMachine;
  /** Where the lock's release is put. */
  readonly opening: AsyncDisposableStack;
}

async function lockFor(
  repository: Repository,
  { access, options, machine, opening }: Locking,
): Promise<AbortSignal> {
  const { intent, signal } = options;
  if (!access.lock || !LOCKED_HERE.includes(intent)) return signal;
  const request = {
    exclusive: intent === 'remove',
    clock: machine.clock,
    retryFor: access.retryLock,
    signal,
  };
  const lock = await (intent === 'read' ? lockToRead(repository, request) : takeLock(repository, request));
  opening.defer(() => lock.release());
  const refused = new AbortController();
  lock.confirmed.catch((reason: unknown) => refused.abort(reason));
  return AbortSignal.any([signal, lock.signal, refused.signal]);
}

async function lockToRead(repository: Repository, request: Parameters<typeof beginLock>[1]) {
  try {
    return await beginLock(repository, request);
  } catch (error) {
    if (!isFailure(error, 'backend.denied')) throw error;
    throw new Failure('backend.denied', `no lock can be written: ${error.message}`, {
      subject: repository.backend.location,
      hint: 'To read from a place where nothing may be written: --no-lock.',
      cause: error,
    });
  }
}

/** Whoever writes must be seen by whoever removes. */
function refuseUnlockedWriting(access: RepositoryAccess, intent: Intent): void {
  if (access.lock || WITHOUT_LOCK.includes(intent)) return;
  throw new Failure('usage', '--no-lock is only for commands that write nothing', {
    hint: 'Without a lock another program could remove what this one relies on. With --dry-run it is allowed.',
  });
}

/** A disk that fails does not get better by waiting long; a server may. In milliseconds. */
const LOCAL_PATIENCE = 3000;
const FIRST_CONTACT = 20_000;
const KIB = 1024;

async function reach(
  access: RepositoryAccess,
  options: OpenOptions,
  { clock, random }: AccessMachine,
  open: typeof openBackend,
): Promise<Pick<OpenedRepository, 'traffic'> & { readonly backend: Backend }> {
  const address = parseAddress(access.location);
  const { limitUpload, limitDownload, limitRequests } = options;
  const patience =
    address.scheme === 'local' ? { totalTime: LOCAL_PATIENCE } : { firstContact: FIRST_CONTACT };
  // Innermost, so that each try counts.
  const totalTime = patience.totalTime ?? FIRST_CONTACT;
  const opened = await retryCall(
    () => open(address, access.settings),
    { clock, random, totalTime },
    options.signal,
  );
  const { progress } = options;
  const notify = tellRetries(opened.location, clock, (line) => progress?.note(line));
  const metered = meter(opened);
  const traffic = () => trafficOf(metered.reading());
  const persistent = retry(metered, { clock, random, notify, ...patience });
  const given = access.limits === undefined ? persistent : limit(persistent, { clock, ...access.limits });
  const limits = [limitUpload, limitDownload, limitRequests];
  if (limits.every((one) => one === undefined)) return { backend: given, traffic };
  const backend = limit(given, {
    clock,
    ...(limitUpload === undefined ? {} : { upload: limitUpload * KIB }),
    ...(limitDownload === undefined ? {} : { download: limitDownload * KIB }),
    ...(limitRequests === undefined ? {} : { requests: limitRequests }),
  });
  return { backend, traffic };
}

/** With a cache where one helps: not before a disk of this machine, nor where the real files are what is looked at. */
function remember(
  backend: Backend,
  repositoryId: string,
  { access, options, machine }: Omit<Locking, 'opening'>,
): Backend {
  const directory = access.cacheDirectory;
  const local = parseAddress(access.location).scheme === 'local';
  if (directory === undefined || local || options.intent === 'inspect') return backend;
  return cache(backend, { clock: machine.clock, directory, repositoryId });
}

/** For what is worked out from the repository's files, before a disk too; a check looks at the files themselves. */
function cacheOf({ access, options, machine }: Omit<Locking, 'opening'>): LocalCache | undefined {
  const directory = access.cacheDirectory;
  if (directory === undefined || options.intent === 'inspect') return undefined;
  return { directory, clock: machine.clock };
}

/** Outermost: what is not saved must not be remembered either. */
function guard(backend: Backend, access: RepositoryAccess, { intent }: OpenOptions): Backend {
  if (intent === 'rehearse') return dryRun(backend);
  return access.lock ? backend : readOnly(backend);
}
