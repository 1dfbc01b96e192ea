import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseLsn } from '../../app/src/sources/postgres/wal/lsn.ts';
import { LOAD_SCHEMA, LOAD_SUMS, type LoadSums, startLoad } from '../scenes/postgres-load.ts';
import { PostgresScene } from '../scenes/postgres-scene.ts';
import { type Major, startPostgres } from '../servers/postgres.ts';

describe.each<Major>([14, 16, 18])('with the WAL of PostgreSQL %i', (major) => {
  test('a base comes back as of a name, a time, a position and the end', async () => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    const walDirectory = path.join(scene.base, 'wal');
    await mkdir(walDirectory);
    // The server archives as another user than the test.
    await chmod(walDirectory, 0o777);
    await using server = await startPostgres({
      major,
      settings: {
        archive_mode: 'on',
        archive_command: `cp %p '${walDirectory}/%f' && chmod 644 '${walDirectory}/%f'`,
      },
    });
    await server.query(LOAD_SCHEMA);
    const load = await startLoad(server.url);
    const { snapshot } = await scene.backUp(repository, server.url);
    await load.stop();
    const count = async () => (await server.query<LoadSums>(LOAD_SUMS))[0];

    const named = await count();
    await server.query("SELECT pg_create_restore_point('before the mistake')");
    const [moment] = await server.query<{ at: string }>('SELECT clock_timestamp()::text AS at');
    const [position] = await server.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn');
    await server.query('TRUNCATE history');
    const [last] = await server.query<{ name: string }>('SELECT pg_walfile_name(pg_switch_wal()) AS name');
    await expect
      .poll(
        () => server.query('SELECT last_archived_wal >= $1 AS there FROM pg_stat_archiver', [last?.name]),
        {
          timeout: 20_000,
        },
      )
      .toEqual([{ there: true }]);

    const at = Temporal.Instant.from(moment?.at.replace(' ', 'T') ?? '');
    const targets = [
      { kind: 'name', name: 'before the mistake' },
      { kind: 'time', instant: at },
      { kind: 'lsn', lsn: parseLsn(position?.lsn ?? '') },
    ] as const;
    for (const target of targets) {
      const recovery = { walDirectory, target, action: 'promote' } as const;
      const restored = await scene.restore(repository, snapshot, { recovery });
      const rows = await scene.ask(repository, snapshot, restored.target, LOAD_SUMS);
      expect(rows, target.kind).toEqual([named]);
    }
    const recovery = { walDirectory, target: { kind: 'latest' }, action: 'promote' } as const;
    const restored = await scene.restore(repository, snapshot, { recovery });
    const [latest] = await scene.ask<LoadSums>(repository, snapshot, restored.target, LOAD_SUMS);
    expect(latest).toMatchObject({ count: 0, accounts: named?.accounts });
  });
});
