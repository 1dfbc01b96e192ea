import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { readOwner } from '../../../journal/spool-possession.ts';
import type { ServerIdentity } from './reception.ts';

/**
 * Whose WAL a spool holds, told without the server: when that is gone for good, its last moments are here and have to
 * reach the repository all the same. Undefined where there is no spool yet, or nothing in it.
 */
export async function spooledServer(directory: string): Promise<ServerIdentity | undefined> {
  const owner = await readOwner(directory);
  if (owner?.source !== 'postgres') return undefined;
  const segment = (await readdir(directory)).find((name) => /^[0-9A-F]{24}(\.partial)?$/.test(name));
  if (segment === undefined) return undefined;
  // A segment has its full length from its first moment on.
  const { size } = await stat(path.join(directory, segment));
  return { systemId: owner.identity, segmentSize: size };
}
