import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isFailure } from '@holdfast/engine';
import { describe, expect, test } from 'vitest';
import { readBaseRecord } from '../../app/src/sources/postgres/base/base-record.ts';
import { PASSWORD } from '../scenes/backup-scene.ts';
import { PostgresScene } from '../scenes/postgres-scene.ts';
import { type Major, startPostgres } from '../servers/postgres.ts';
import { leavesNothing } from './base-leftovers.ts';

const holdfast = fileURLToPath(new URL('../../holdfast', import.meta.url));
const execute = promisify(execFile);

/** 14 says its end after the archives, 15 and newer within them. */
describe.each<Major>([14, 18])('damage on a server of PostgreSQL %i', (major) => {
  async function damagedServer() {
    const server = await startPostgres({ major });
    await server.query('CREATE TABLE precious AS SELECT generate_series(1, 10000) AS n');
    await server.query('CREATE TABLE sound AS SELECT generate_series(1, 10000) AS n');
    const [row] = await server.query<{ file: string }>("SELECT pg_relation_filepath('precious') AS file");
    const file = row?.file ?? '';
    await server.stop();
    for (const block of [3, 7, 8]) {
      await scribble(path.join(server.dataDirectory, file), block * 8192 + 4000);
    }
    await server.start();
    return { server, file };
  }

  test('ends its base backup, which names every damaged page and how to take it all the same', async () => {
    using scene = new PostgresScene();
    const { server, file } = await damagedServer();
    await using _ = server;
    const repository = await scene.create();
    const error = await scene.backUp(repository, server.url).catch((thrown: unknown) => thrown);
    expect(isFailure(error, 'source.damaged'), String(error)).toBe(true);
    expect(String(error)).toContain(`page 3 of ${file}`);
    expect((error as { hint?: string }).hint).toContain(`${file}: pages 3, 7–8`);
    expect((error as { hint?: string }).hint).toContain('--accept-damage');
    await leavesNothing(server, scene, repository);
  });

  test('is kept and told where that is asked for; what is sound comes back', async () => {
    using scene = new PostgresScene();
    const { server, file } = await damagedServer();
    await using _ = server;
    const repository = await scene.create();
    const { snapshot, findings } = await scene.backUp(repository, server.url, { acceptDamage: true });
    expect(findings).toMatchObject([{ severity: 'error', code: 'postgres.page-damaged', subject: file }]);
    expect(findings[0]?.message).toContain('pages 3, 7–8');
    const record = await readBaseRecord(await repository.loadIndex(), snapshot);
    expect(record.findings).toEqual(findings);
    const { target } = await scene.restore(repository, snapshot);
    const sums = 'SELECT sum(n)::int AS sum FROM sound';
    expect(await scene.ask(repository, snapshot, target, sums)).toEqual([{ sum: 50_005_000 }]);
    await expect(scene.ask(repository, snapshot, target, 'SELECT sum(n) FROM precious')).rejects.toThrow(
      /invalid page in block 3/,
    );
  });
});

test('the command line ends with a code of its own after a base that holds damage, and lists it', async () => {
  using scene = new PostgresScene();
  await using server = await startPostgres({ major: 16 });
  await scene.create();
  await server.query('CREATE TABLE precious AS SELECT generate_series(1, 10000) AS n');
  const [row] = await server.query<{ file: string }>("SELECT pg_relation_filepath('precious') AS file");
  await server.stop();
  await scribble(path.join(server.dataDirectory, row?.file ?? ''), 2 * 8192 + 4000);
  await server.start();
  const run = async (...words: string[]) => {
    const command = ['postgres', 'backup', '--url', server.url, '--repo', scene.repositoryPath, ...words];
    const env = { ...process.env, HOLDFAST_PASSWORD: PASSWORD };
    return await execute(holdfast, command, { env }).then(
      ({ stdout }) => ({ code: 0, stdout, stderr: '' }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
  };
  const refused = await run();
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(`${row?.file}: page 2`);
  const accepted = await run('--accept-damage', '--json');
  expect(accepted.code).toBe(3);
  const records = accepted.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; code?: string; findings?: number })
    .filter(({ type }) => type !== 'status');
  expect(records.map(({ type }) => type)).toEqual(['finding', 'summary', 'error']);
  expect(records).toMatchObject([{ code: 'postgres.page-damaged' }, { findings: 1 }, { code: 'incomplete' }]);
  const shown = await run('--accept-damage');
  expect(shown.stdout).toContain(`✖ page 2 of ${row?.file} has a wrong checksum\n`);
});

async function scribble(file: string, offset: number): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.write(Buffer.from('damage'), 0, 6, offset);
  await handle.close();
}
