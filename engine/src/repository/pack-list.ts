import { type Id, isId } from '../kernel/id.ts';
import type { Repository } from './repository.ts';

/** Which packs are there, with their sizes in bytes. */
export async function listPacks(repository: Repository, signal?: AbortSignal): Promise<Map<Id, number>> {
  const packs = new Map<Id, number>();
  for await (const { name, size } of repository.backend.list('pack', signal)) {
    if (isId(name)) packs.set(name, size);
  }
  return packs;
}
