import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diagnose } from '../../app/src/doctor/check.ts';
import { parseServerUrl, serverAddress } from '../../app/src/sources/postgres/connection/server-address.ts';
import { postgresChecks } from '../../app/src/sources/postgres/server/doctor.ts';
import { examineServer } from '../../app/src/sources/postgres/server/server-health.ts';
import { dumpPath } from '../../engine/src/archive/browse/dump.ts';
import type { StoredSnapshot } from '../../engine/src/format/types.ts';
import type { Repository } from '../../engine/src/repository/repository.ts';
import { PostgresScene } from '../scenes/postgres-scene.ts';
import { type RunningPostgres, startPostgres } from '../servers/postgres.ts';

/** A file below `/holdfast/config` of a base. */
async function saved(repository: Repository, snapshot: StoredSnapshot, name: string): Promise<string> {
  const onProblem = () => undefined;
  const place = `holdfast/config/${name}`;
  const { bytes } = await dumpPath(await repository.loadIndex(), snapshot.tree, place, { onProblem });
  return Buffer.concat(await Array.fromAsync(bytes)).toString();
}

describe('configuration outside of the data directory', () => {
  let server: RunningPostgres;
  beforeAll(async () => {
    server = await startPostgres({
      major: 16,
      configurationOutside: true,
      settings: { work_mem: '7MB' },
    });
    const place = (name: string) => path.join(server.configurationDirectory, name);
    await mkdir(place('conf.d'), { mode: 0o755 });
    await writeFile(place('conf.d/10-ours.conf'), "log_duration = 'on'\n");
    await writeFile(place('names'), 'somebody\n');
    await appendFile(place('postgresql.conf'), "include_dir 'conf.d'\n");
    await appendFile(place('pg_hba.conf'), 'host all @names 10.0.0.0/8 reject\n');
    await server.query('SELECT pg_reload_conf()');
    await server.query('CREATE ROLE backup LOGIN REPLICATION');
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('is in the base, with what it includes, and the base starts without it', async () => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    const { snapshot, record, findings } = await scene.backUp(repository, server.url);
    expect(findings).toEqual([]);
    const names = ['conf.d/10-ours.conf', 'names', 'pg_hba.conf', 'pg_ident.conf', 'postgresql.conf'];
    expect(record.configuration?.map(({ name }) => name).sort()).toEqual(names);
    for (const name of names) {
      const original = await readFile(path.join(server.configurationDirectory, name), 'utf8');
      expect(await saved(repository, snapshot, name), name).toBe(original);
    }
    const { target } = await scene.restore(repository, snapshot);
    expect(await scene.ask(repository, snapshot, target, 'SELECT 1 AS yes')).toEqual([{ yes: 1 }]);
  });

  test('that the role may not read is told with the grant that the doctor prints too, and then it is read', async () => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    const url = server.url.replace('postgres@', 'backup@');
    const examine = async () => {
      const health = await examineServer(serverAddress(parseServerUrl(url)), AbortSignal.timeout(30_000));
      const { advice } = diagnose('s', postgresChecks, health);
      return advice.find(({ code }) => code === 'postgres.configuration');
    };
    const before = await scene.backUp(repository, url);
    expect(before.findings).toMatchObject([{ severity: 'warning', code: 'postgres.configuration' }]);
    // What anybody may see is there even so.
    expect(await saved(repository, before.snapshot, 'settings.conf')).toContain("work_mem = '7MB'\n");
    const grants = (await examine())?.fix ?? [];
    expect(grants).toHaveLength(2);
    for (const grant of grants) {
      expect(before.findings[0]?.hint).toContain(grant);
      await server.query(grant);
    }
    expect(await examine()).toBeUndefined();
    const { snapshot, findings } = await scene.backUp(repository, url);
    expect(findings).toEqual([]);
    expect(await saved(repository, snapshot, 'conf.d/10-ours.conf')).toContain('log_duration');
  });

  test('is not asked for where it lies with the data', async () => {
    using scene = new PostgresScene();
    await using usual = await startPostgres({ major: 18 });
    await usual.query('CREATE ROLE backup LOGIN REPLICATION');
    const repository = await scene.create();
    const { findings, record } = await scene.backUp(repository, usual.url.replace('postgres@', 'backup@'));
    expect(findings).toEqual([]);
    expect(record.configuration).toEqual([]);
  });
});
