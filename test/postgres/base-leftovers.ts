import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import type { Repository } from '../../engine/src/repository/repository.ts';
import type { PostgresScene } from '../scenes/postgres-scene.ts';
import type { RunningPostgres } from '../servers/postgres.ts';

/** What a base backup that has ended must not have left on its server. */
const LEFT_ON_SERVER = `
  SELECT slot_name::text AS left FROM pg_replication_slots
  UNION ALL SELECT application_name FROM pg_stat_replication
  UNION ALL SELECT phase FROM pg_stat_progress_basebackup
  UNION ALL SELECT query FROM pg_stat_activity WHERE application_name = 'holdfast'
`;

/** The server notices the end of a connection by itself, a moment later; not more than a few seconds. */
export async function leavesNothingOnServer(server: RunningPostgres): Promise<void> {
  await expect.poll(() => server.query(LEFT_ON_SERVER), { timeout: 5000 }).toEqual([]);
}

export async function leavesNothing(
  server: RunningPostgres,
  scene: PostgresScene,
  repository: Repository,
): Promise<void> {
  await leavesNothingOnServer(server);
  expect(await repository.loadSnapshots()).toEqual([]);
  expect(await readdir(path.join(scene.repositoryPath, 'locks'))).toEqual([]);
}
