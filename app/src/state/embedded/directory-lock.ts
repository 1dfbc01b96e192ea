import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, openPosix } from '@holdfast/engine';
import type { Watch } from './server.ts';

/**
 * Does `work` while nobody else starts or stops the server of this state directory. The kernel gives the lock up when a
 * process ends, however it does.
 */
export async function withDirectoryLock<Result>(
  directory: string,
  { clock, signal }: Watch,
  work: () => Promise<Result>,
): Promise<Result> {
  const { tryLock, unavailable } = openPosix();
  if (tryLock === undefined) {
    throw new Failure('state.unsupported', `the state directory cannot be locked here: ${unavailable}`, {
      subject: directory,
      hint: 'Set DATABASE_URL to a PostgreSQL server that Holdfast may keep its state in.',
    });
  }
  await using file = await open(join(directory, 'database.lock'), 'a', 0o600);
  while (!tryLock(file.fd)) await clock.sleep(LOOK_EVERY, signal);
  return await work();
}

/** Milliseconds. */
const LOOK_EVERY = 10;
