import { type Backend, CONFIG } from '../backend/backend.ts';
import { createConfig, decodeConfig, encodeConfig } from '../format/config.ts';
import { calibrate, type KdfParameters } from '../format/key-derivation.ts';
import { createKeyFile, randomMasterKey } from '../format/key-file.ts';
import { open, seal } from '../format/sealing.ts';
import type { RepositoryConfig } from '../format/types.ts';
import type { Clock } from '../kernel/clock.ts';
import { Failure, isFailure } from '../kernel/failure.ts';
import { sha256Id } from '../kernel/hash.ts';
import type { Id } from '../kernel/id.ts';
import { lastCall } from '../kernel/last-call.ts';
import { keyMeta, listKeyNames, unlockMasterKey } from './keys.ts';
import { Repository } from './repository.ts';

export interface CreateOptions {
  /** 2 unless something old has to read it. */
  readonly version?: 1 | 2;
  /** Hexadecimal; another repository's, so that copies between the two deduplicate. Random otherwise. */
  readonly chunkerPolynomial?: string;
  /** What guessing one password costs. Measured on this machine otherwise, as restic does. */
  readonly kdf?: KdfParameters;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/**
 * Makes a repository in an empty place. The key is saved before the config: a repository exists from the moment its
 * config does, and never without a key that opens it. Throws `repository.exists` where there is one.
 */
export async function createRepository(
  backend: Backend,
  password: string,
  options: CreateOptions,
): Promise<Repository> {
  const { signal } = options;
  if (await exists(backend, signal)) {
    throw new Failure('repository.exists', `there is a repository at ${backend.location} already`, {
      subject: backend.location,
      hint: 'use it as it is, or choose another place',
    });
  }
  for await (const { name } of backend.list('key', signal)) {
    // With a second key, a password would open either, and the config only with one of them: nobody gets in for sure.
    throw new Failure(
      'repository.exists',
      `there is no config at ${backend.location}, but key ${name.slice(0, 8)}`,
      {
        subject: backend.location,
        hint: 'bring the config back from a copy; or, if an init was cut short here, remove the keys folder and init again',
      },
    );
  }
  const key = randomMasterKey();
  const fresh = createConfig(options.version);
  const config: RepositoryConfig = {
    ...fresh,
    chunkerPolynomial: options.chunkerPolynomial ?? fresh.chunkerPolynomial,
  };
  const parameters = options.kdf ?? (await calibrate(options.clock));
  const keyFile = await createKeyFile(key, password, parameters, keyMeta(options.clock));
  const keyId = sha256Id(keyFile);
  await backend.save({ type: 'key', name: keyId }, keyFile, signal);
  try {
    await backend.save(CONFIG, seal(key, encodeConfig(config)), signal);
  } catch (error) {
    await removeQuietly(backend, keyId, signal);
    throw error;
  }
  return new Repository({ backend, config, key, keyId });
}

/**
 * Opens a repository. Throws `repository.missing` (exit 10), `repository.wrong-password` (12),
 * `repository.unsupported` for a format that is newer than 2.
 */
export async function openRepository(
  backend: Backend,
  password: string,
  signal?: AbortSignal,
): Promise<Repository> {
  // Both at once: from far away each costs as long as the way there and back.
  const [config, keys] = await Promise.allSettled([
    backend.load(CONFIG, undefined, signal),
    listKeyNames(backend, signal),
  ]);
  // Without a config there is no repository, whatever became of the keys.
  if (config.status === 'rejected') throw missing(backend, config.reason);
  if (keys.status === 'rejected') throw keys.reason;
  const { key, keyId } = await unlockMasterKey(backend, keys.value, password, signal);
  return new Repository({ backend, config: decodeConfig(open(key, config.value)), key, keyId });
}

function missing({ location }: Backend, cause: unknown): unknown {
  if (!isFailure(cause, 'backend.not-found')) return cause;
  return new Failure('repository.missing', `there is no repository at ${location}`, {
    subject: location,
    hint: 'check the address, or make one with holdfast repo init',
    cause,
  });
}

/** After a config that could not be saved, so that making the repository can be tried again. */
async function removeQuietly(backend: Backend, keyId: Id, signal: AbortSignal | undefined): Promise<void> {
  try {
    // The config may be there all the same, with only the answer lost: then its key has to stay.
    if (!(await exists(backend, lastCall(signal))))
      await backend.remove({ type: 'key', name: keyId }, lastCall(signal));
  } catch {
    // The next init says what is in its way.
  }
}

async function exists(backend: Backend, signal?: AbortSignal): Promise<boolean> {
  try {
    await backend.stat(CONFIG, signal);
    return true;
  } catch (error) {
    if (isFailure(error, 'backend.not-found')) return false;
    throw error;
  }
}
