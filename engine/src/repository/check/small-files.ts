import { CONFIG, type FileType } from '../../backend/backend.ts';
import { decodeConfig } from '../../format/config.ts';
import { decodeKeyFile } from '../../format/key-file.ts';
import type { StoredSnapshot } from '../../format/types.ts';
import { mapConcurrently } from '../../kernel/concurrency.ts';
import { sha256Id } from '../../kernel/hash.ts';
import { type Id, isId, shortId } from '../../kernel/id.ts';
import { listLocks } from '../lock-files.ts';
import type { Repository } from '../repository.ts';
import { damageOf } from './damage.ts';
import type { Ledger } from './ledger.ts';

/*
 * The files that are not packs: config, keys, locks, snapshots.
 */

/** The snapshots that can be read, oldest first. */
export async function checkSnapshots(
  repository: Repository,
  ledger: Ledger,
  signal?: AbortSignal,
): Promise<StoredSnapshot[]> {
  const ids = await listIds(repository, 'snapshot', signal);
  const found = await mapConcurrently(ids, repository.backend.connections, async (id) => {
    try {
      return await repository.loadSnapshot(id, signal);
    } catch (error) {
      ledger.add({
        severity: 'error',
        code: 'snapshot.damaged',
        subject: `snapshot ${shortId(id)}`,
        message: `The snapshot ${id} cannot be read: ${damageOf(error).message}`,
        hint: 'Its files may still be in the repository, but what led to them is lost. Is there a copy with this file?',
      });
      return undefined;
    }
  });
  return found
    .filter((snapshot) => snapshot !== undefined)
    .sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
}

/** The config as it is stored now: whoever opened the repository may have read it long ago. */
export async function checkConfig(
  repository: Repository,
  ledger: Ledger,
  signal?: AbortSignal,
): Promise<void> {
  try {
    decodeConfig(await repository.loadFile(CONFIG, signal));
  } catch (error) {
    ledger.add({
      severity: 'error',
      code: 'config.damaged',
      subject: 'config',
      message: `The config cannot be read: ${damageOf(error).message}`,
      hint: 'Nobody can open the repository without it. Put it back from a copy of this repository.',
    });
  }
}

/** Whether each key file is what was written. Whether a password opens it only its owner can tell. */
export async function checkKeys(
  repository: Repository,
  ledger: Ledger,
  signal?: AbortSignal,
): Promise<number> {
  const ids = await listIds(repository, 'key', signal);
  for (const name of ids) {
    try {
      const file = await repository.backend.load({ type: 'key', name }, undefined, signal);
      decodeKeyFile(file);
      if (sha256Id(file) === name) continue;
      reportKey(ledger, name, 'its content is not the one that its name stands for');
    } catch (error) {
      reportKey(ledger, name, damageOf(error).message);
    }
  }
  return ids.length;
}

/** A lock that cannot be read stops everybody who needs the repository alone. */
export async function checkLocks(
  repository: Repository,
  ledger: Ledger,
  signal?: AbortSignal,
): Promise<void> {
  for (const { id, lock } of await listLocks(repository, signal)) {
    if (lock !== undefined) continue;
    ledger.add({
      severity: 'warning',
      code: 'lock.damaged',
      subject: `lock ${shortId(id)}`,
      message: `The lock ${id} cannot be read: nobody can tell who holds it, so forget and prune will not run.`,
      hint: 'When no other program works on this repository: holdfast repo unlock.',
    });
  }
}

function reportKey(ledger: Ledger, id: Id, why: string): void {
  ledger.add({
    severity: 'error',
    code: 'key.damaged',
    subject: `key ${shortId(id)}`,
    message: `The key ${id} is damaged: ${why.replace(/\.$/, '')}. Its password may no longer open the repository.`,
    hint: 'While another password opens it: add a new key and remove this one (holdfast repo key).',
  });
}

async function listIds(repository: Repository, type: FileType, signal?: AbortSignal): Promise<Id[]> {
  const ids: Id[] = [];
  for await (const { name } of repository.backend.list(type, signal)) if (isId(name)) ids.push(name);
  return ids;
}
