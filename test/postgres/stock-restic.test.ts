import { execFile } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { PASSWORD } from '../scenes/backup-scene.ts';
import { PostgresScene } from '../scenes/postgres-scene.ts';
import { startPostgres } from '../servers/postgres.ts';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';

const execute = promisify(execFile);
const withRestic = testWith(restic);

withRestic(
  'a base is restored by stock restic alone, and a server starts from it, also when only changes were sent for it',
  async ({ server: { path: program } }) => {
    using scene = new PostgresScene();
    await using server = await startPostgres({ major: 18, settings: { summarize_wal: 'on' } });
    await server.query('CREATE TABLE orders AS SELECT generate_series(1, 4300) AS n');
    const repository = await scene.create();
    await scene.backUp(repository, server.url);
    await server.query('INSERT INTO orders SELECT generate_series(4301, 4321)');
    const { snapshot, sent } = await scene.backUp(repository, server.url);
    expect(sent.kind).toBe('changes');
    const target = path.join(scene.base, 'by-restic');
    await execute(program, ['-r', scene.repositoryPath, 'restore', snapshot.id, '--target', target], {
      env: { ...process.env, RESTIC_PASSWORD: PASSWORD, RESTIC_CACHE_DIR: path.join(scene.base, 'cache') },
    });
    // restic makes the target for its own user alone; the server runs as another.
    await chmod(target, 0o755);
    const rows = await scene.ask(
      repository,
      snapshot,
      path.join(target, 'base'),
      'SELECT count(*)::int AS n FROM orders',
    );
    expect(rows).toEqual([{ n: 4321 }]);
  },
);
