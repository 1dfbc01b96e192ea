import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { logIn } from '../../app/src/sources/postgres/connection/login.ts';
import { findPrograms } from '../../app/src/sources/postgres/restore/programs.ts';
import { startScratchServer } from '../../app/src/sources/postgres/restore/scratch-server.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { PostgresScene } from '../scenes/postgres-scene.ts';
import { type RunningPostgres, startPostgres } from '../servers/postgres.ts';

describe('a restored server', () => {
  let server: RunningPostgres;
  beforeAll(async () => {
    server = await startPostgres({
      major: 16,
      settings: { shared_preload_libraries: 'auto_explain, pg_stat_statements' },
    });
    await server.query('CREATE EXTENSION hstore');
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.each([
    ['none of the libraries that the original had loaded', [], '', ['auto_explain', 'gone', 'pg_cron']],
    [
      'what is installed of them where WAL has records of their kinds',
      ['custom'],
      '"auto_explain"',
      ['gone', 'pg_cron'],
    ],
  ])('loads %s, and says what is left out', async (_what, resourceManagers, loaded, leftOut) => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    const { snapshot, record } = await scene.backUp(repository, server.url);
    expect(record.resourceManagers).toEqual([]);
    expect(record.settings['shared_preload_libraries']).toBe('auto_explain, pg_stat_statements');
    const { target: dataDirectory } = await scene.restore(repository, snapshot);
    await using scratch = await startScratchServer({
      programs: await findPrograms(16),
      dataDirectory,
      record: {
        ...record,
        resourceManagers,
        settings: { ...record.settings, shared_preload_libraries: 'auto_explain, gone, pg_cron' },
      },
      clock: systemClock,
    });
    expect(scratch.leftOut).toEqual(leftOut);
    const { client } = await logIn(scratch.address, 'sql');
    const { rows } = await client.query("SELECT current_setting('shared_preload_libraries') AS loaded");
    await client.end();
    expect(rows).toEqual([{ loaded }]);
  });

  test('is run by an installation that has what it needs; what none has is told with the package that brings it', async () => {
    const present = await findPrograms(16, {
      extensions: ['hstore', 'plpgsql'],
      libraries: ['auto_explain'],
    });
    expect(present.findings).toEqual([]);
    const { findings } = await findPrograms(16, { extensions: ['vector', 'hstore'], libraries: ['ours'] });
    expect(findings).toMatchObject([
      { subject: 'vector', hint: 'Debian: apt-get install postgresql-16-pgvector' },
      { subject: 'ours', severity: 'note' },
    ]);
    await expect(findPrograms(9)).rejects.toMatchObject({ code: 'source.unsupported' });
  });
});
