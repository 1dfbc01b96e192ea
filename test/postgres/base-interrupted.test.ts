import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BaseWatch } from '../../app/src/sources/postgres/base/base-backup.ts';
import { openLocal } from '../../engine/src/backend/local/local.ts';
import { openRepository } from '../../engine/src/repository/open.ts';
import { PASSWORD } from '../scenes/backup-scene.ts';
import { PostgresScene } from '../scenes/postgres-scene.ts';
import { type Major, type RunningPostgres, startPostgres } from '../servers/postgres.ts';
import { TcpProxy } from '../servers/tcp-proxy.ts';
import { leavesNothing, leavesNothingOnServer } from './base-leftovers.ts';

const holdfast = fileURLToPath(new URL('../../holdfast', import.meta.url));
/** KiB/s: so slow that a base cannot be done before it is interrupted. */
const SLOW = 1024;

/** Calls `act` as soon as something of the base has arrived. */
function onceSending(act: () => unknown): (watch: BaseWatch) => void {
  return ({ progress }) =>
    void expect
      .poll(() => progress().bytes, { interval: 10, timeout: 30_000 })
      .toBeGreaterThan(0)
      .then(act);
}

/** Rows that fill a few megabytes. */
const ORDERS = "CREATE TABLE orders AS SELECT n, repeat('x', 200) AS note FROM generate_series(1, 50000) n";

/** 14 sends an archive after the other, 15 and newer all of them in one stream. */
describe.each<Major>([14, 18])('a base backup of PostgreSQL %i that is interrupted', (major) => {
  test('at random moments, from its first login on, leaves neither slot nor connection nor snapshot nor lock', async () => {
    await using server = await startPostgres({ major });
    await server.query(ORDERS);
    await using proxy = await TcpProxy.before(server.port);
    const url = `postgres://postgres@127.0.0.1:${proxy.port}/postgres`;
    using whole = new PostgresScene();
    await whole.backUp(await whole.create(), url);
    const all = proxy.received;
    using scene = new PostgresScene();
    const repository = await scene.create();
    for (let run = 0; run < 6; run++) {
      // As often among the first kilobytes, where it logs in and makes its slot, as among the megabytes.
      const moment = proxy.received + Math.floor((0.9 * all) ** Math.random());
      const controller = new AbortController();
      proxy.onReceived = () => {
        if (proxy.received >= moment) controller.abort(new Error('enough'));
      };
      const backup = scene.backUp(repository, url, { signal: controller.signal });
      await expect(backup, `interrupted after ${moment} bytes`).rejects.toThrow('enough');
      await leavesNothing(server, scene, repository);
    }
  });
});

describe('a base backup that is interrupted', () => {
  let server: RunningPostgres;
  beforeAll(async () => {
    server = await startPostgres({ major: 18, settings: { log_replication_commands: 'on' } });
    await server.query(ORDERS);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('while the server waits for a checkpoint that is spread over minutes does not stay there until it is done', async () => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    await server.query("UPDATE orders SET note = note || 'y'");
    const controller = new AbortController();
    const backup = scene.backUp(repository, server.url, {
      checkpoint: 'spread',
      signal: controller.signal,
    });
    const waiting = "SELECT 1 AS yes FROM pg_stat_progress_basebackup WHERE phase LIKE '%checkpoint%'";
    await expect.poll(() => server.query(waiting), { timeout: 30_000 }).toEqual([{ yes: 1 }]);
    controller.abort(new Error('enough'));
    await expect(backup).rejects.toThrow('enough');
    await leavesNothing(server, scene, repository);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    'by %s leaves nothing on the server and no snapshot',
    async (signal) => {
      using scene = new PostgresScene();
      const repository = await scene.create();
      const command = ['postgres', 'backup', '--url', server.url, '--repo', scene.repositoryPath];
      const child = spawn(holdfast, [...command, '--max-rate', String(SLOW)], {
        env: { ...process.env, HOLDFAST_PASSWORD: PASSWORD },
        stdio: 'ignore',
      });
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
      const sending = "SELECT 1 AS yes FROM pg_stat_progress_basebackup WHERE phase LIKE 'streaming%'";
      await expect.poll(() => server.query(sending), { timeout: 30_000 }).toEqual([{ yes: 1 }]);
      child.kill(signal);
      const exitCode = await ended;
      if (signal === 'SIGKILL') {
        await leavesNothingOnServer(server);
        const again = await openRepository(await openLocal({ path: scene.repositoryPath }), PASSWORD);
        expect(await again.loadSnapshots()).toEqual([]);
      } else {
        expect(exitCode).toBe(130);
        await leavesNothing(server, scene, repository);
      }
    },
  );

  test('by a network that swallows everything is told so within the limit', async () => {
    await using proxy = await TcpProxy.before(server.port);
    using scene = new PostgresScene();
    const repository = await scene.create();
    const backup = scene.backUp(repository, `postgres://postgres@127.0.0.1:${proxy.port}/postgres`, {
      maxRate: SLOW,
      silenceLimit: 2000,
      onStart: onceSending(() => proxy.stall()),
    });
    await expect(backup).rejects.toMatchObject({
      code: 'source.unreachable',
      message: 'the server has sent nothing for 2 s',
    });
    await proxy[Symbol.asyncDispose]();
    await leavesNothing(server, scene, repository);
  });

  test('by a server that stands still is told so within the limit', async () => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    const frozen = Promise.withResolvers<number>();
    frozen.promise.catch(() => undefined);
    const freeze = async () => {
      const [row] = await server.query<{ pid: number }>('SELECT pid FROM pg_stat_replication');
      if (row === undefined) return frozen.reject(new Error('nothing is being sent'));
      process.kill(row.pid, 'SIGSTOP');
      frozen.resolve(row.pid);
    };
    const backup = scene.backUp(repository, server.url, {
      maxRate: SLOW,
      silenceLimit: 2000,
      onStart: onceSending(freeze),
    });
    await expect(backup).rejects.toMatchObject({ code: 'source.unreachable' });
    process.kill(await frozen.promise, 'SIGCONT');
    await leavesNothing(server, scene, repository);
  });

  test('by nobody, but slowed down by a limit, is sent no faster than that', async () => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    const limit = 16 * 1024;
    const { snapshot, took } = await scene.backUp(repository, server.url, { maxRate: limit });
    expect(server.log()).toContain(`MAX_RATE ${limit}`);
    const bytes = snapshot.summary?.totalBytesProcessed ?? Number.NaN;
    // The server counts what it sends in steps of an eighth of a second, and does not count WAL.
    expect(bytes / took).toBeLessThan(((limit * 1024) / 1000) * 2);
  });
});
