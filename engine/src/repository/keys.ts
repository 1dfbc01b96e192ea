import { hostname, userInfo } from 'node:os';
import type { Backend } from '../backend/backend.ts';
import { calibrate, type KdfParameters } from '../format/key-derivation.ts';
import {
  createKeyFile,
  decodeKeyFile,
  type KeyFile,
  type KeyFileMeta,
  openKeyFile,
} from '../format/key-file.ts';
import type { MasterKey } from '../format/types.ts';
import type { Clock } from '../kernel/clock.ts';
import { Failure, isFailure } from '../kernel/failure.ts';
import { sha256Id } from '../kernel/hash.ts';
import { type Id, isId, shortId } from '../kernel/id.ts';
import type { Repository } from './repository.ts';

/** One password's key file, without what it protects. */
export interface ListedKey {
  readonly id: Id;
  /** Whether it is the one that this repository was opened with. */
  readonly current: boolean;
  readonly created: string;
  readonly username: string;
  readonly hostname: string;
}

/** The key files there are; of more than can be tried, the first. */
export async function listKeyNames(backend: Backend, signal?: AbortSignal): Promise<Id[]> {
  const names: Id[] = [];
  for await (const { name } of backend.list('key', signal)) {
    if (names.length === MOST_KEYS_TRIED) break;
    if (isId(name)) names.push(name);
  }
  return names;
}

/**
 * Tries the password on each key file of `names`. A wrong one costs the key derivation for each. A damaged key file
 * locks nobody out who has another one; when all are damaged, that is what fails the call.
 */
export async function unlockMasterKey(
  backend: Backend,
  names: readonly Id[],
  password: string,
  signal?: AbortSignal,
): Promise<{ key: MasterKey; keyId: Id }> {
  const tried = names.length;
  const passedOver: unknown[] = [];
  for (let at = 0; at < tried; at += backend.connections) {
    // Several at once, though the first will mostly do: they are small, and from far away each costs the same wait.
    const batch = names.slice(at, at + backend.connections);
    const files = await Promise.allSettled(
      batch.map((name) => backend.load({ type: 'key', name }, undefined, signal)),
    );
    for (const [position, file] of files.entries()) {
      try {
        if (file.status === 'rejected') throw file.reason;
        const key = await openKeyFile(file.value, password);
        if (key !== undefined) return { key, keyId: batch[position] as Id };
      } catch (error) {
        // Removed since it was listed, damaged, or made by a newer program: another key may open all the same.
        if (!PASSED_OVER.some((code) => isFailure(error, code))) throw error;
        passedOver.push(error);
      }
      signal?.throwIfAborted();
    }
  }
  if (tried > 0 && passedOver.length === tried) throw passedOver[0];
  throw new Failure(
    'repository.wrong-password',
    `the password opens none of the ${tried} keys of this repository`,
    {
      subject: backend.location,
      hint: 'check which password file or variable was used; holdfast repo key list shows the keys, once one opens',
      cause: passedOver[0],
    },
  );
}

export async function listKeys(repository: Repository, signal?: AbortSignal): Promise<ListedKey[]> {
  const keys: ListedKey[] = [];
  for await (const { name } of repository.backend.list('key', signal)) {
    if (!isId(name)) continue;
    const { created, username, hostname } = await loadKeyFile(repository, name, signal);
    keys.push({ id: name, current: name === repository.keyId, created, username, hostname });
  }
  return keys.sort((a, b) => Date.parse(a.created) - Date.parse(b.created));
}

export interface AddKeyOptions {
  /** What guessing the password costs; measured on this machine otherwise. */
  readonly kdf?: KdfParameters;
  readonly owner?: Partial<Pick<KeyFileMeta, 'username' | 'hostname'>>;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/** A further password for the same master key. Proves that it opens before it says so. */
export async function addKey(repository: Repository, password: string, options: AddKeyOptions): Promise<Id> {
  const parameters = options.kdf ?? (await calibrate(options.clock));
  const file = await createKeyFile(repository.key, password, parameters, {
    ...keyMeta(options.clock),
    ...options.owner,
  });
  const id = sha256Id(file);
  await repository.backend.save({ type: 'key', name: id }, file, options.signal);
  const stored = await repository.backend.load({ type: 'key', name: id }, undefined, options.signal);
  if ((await openKeyFile(stored, password)) === undefined) {
    throw new Failure(
      'repository.damaged',
      `key ${shortId(id)} was saved, but what came back does not open`,
      {
        subject: `${repository.backend.location}: key ${id}`,
        hint: 'the old password is as it was; check the storage',
      },
    );
  }
  return id;
}

/** Throws `repository.last-key` for the key in use: removing it could lock everybody out. */
export async function removeKey(repository: Repository, id: Id, signal?: AbortSignal): Promise<void> {
  if (id === repository.keyId) {
    throw new Failure('repository.last-key', `key ${shortId(id)} is the one in use and is not removed`, {
      subject: repository.backend.location,
      hint: 'open the repository with another password, or use holdfast repo key passwd to replace this one',
    });
  }
  try {
    await repository.backend.stat({ type: 'key', name: repository.keyId }, signal);
  } catch (error) {
    if (!isFailure(error, 'backend.not-found')) throw error;
    throw new Failure(
      'repository.last-key',
      `our own key is gone: key ${shortId(id)} may be the last and is not removed`,
      {
        subject: repository.backend.location,
        hint: 'open the repository anew and look at holdfast repo key list',
        cause: error,
      },
    );
  }
  await repository.backend.remove({ type: 'key', name: id }, signal);
}

/**
 * Replaces the password in use. The new key is saved and proved first and only then the old one removed: whenever it
 * is interrupted, at least one of the two opens.
 */
export async function changePassword(
  repository: Repository,
  password: string,
  options: AddKeyOptions,
): Promise<Id> {
  const id = await addKey(repository, password, options);
  await repository.backend.remove({ type: 'key', name: repository.keyId }, options.signal);
  return id;
}

/** Who makes a key, when and where. */
export function keyMeta(clock: Clock): KeyFileMeta {
  return {
    created: new Date(clock.now()).toISOString(),
    username: userInfo().username,
    hostname: hostname(),
  };
}

async function loadKeyFile(repository: Repository, id: Id, signal?: AbortSignal): Promise<KeyFile> {
  return decodeKeyFile(await repository.backend.load({ type: 'key', name: id }, undefined, signal));
}

const PASSED_OVER = ['repository.damaged', 'repository.unsupported', 'backend.not-found'] as const;

/** restic's own bound. */
const MOST_KEYS_TRIED = 20;
