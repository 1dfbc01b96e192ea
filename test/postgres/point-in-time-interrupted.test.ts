import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { findPrograms } from '../../app/src/sources/postgres/restore/programs.ts';
import { PASSWORD } from '../scenes/backup-scene.ts';
import { ProtectedServer } from '../scenes/protected-server.ts';
import { startPostgres } from '../servers/postgres.ts';
import { flushLsn } from './journal-scene.ts';

const holdfast = fileURLToPath(new URL('../../holdfast', import.meta.url));

/** Restores by the command line and kills it after so many milliseconds; answers whether it was done before. */
async function restore(args: readonly string[], killWhen?: number | (() => boolean)): Promise<boolean> {
  const child = spawn(holdfast, ['postgres', 'restore', ...args], {
    env: { ...process.env, HOLDFAST_PASSWORD: PASSWORD },
    stdio: ['ignore', 'pipe', 'pipe'],
    // The launcher and what it started.
    detached: true,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const kill = () => process.kill(-(child.pid ?? 0), 'SIGKILL');
  const timer = typeof killWhen === 'function' ? undefined : setTimeout(kill, killWhen ?? 100_000);
  const watch = setInterval(() => {
    if (typeof killWhen === 'function' && killWhen()) kill();
  }, 1);
  const code = await ended;
  clearTimeout(timer);
  clearInterval(watch);
  if (code !== null) expect(code, said).toBe(0);
  return code === 0;
}

describe.each(['a new directory', 'a data directory'] as const)('into %s', (place) => {
  test('a restore killed at any moment leaves nothing that a server starts from, and is completed by the same command', {
    timeout: 300_000,
  }, async () => {
    await using server = await startPostgres({ major: 16 });
    await using shop = await ProtectedServer.over(server);
    await server.query(
      "CREATE TABLE ballast AS SELECT n, md5(n::text) || repeat('x', 500) AS text FROM generate_series(1, 100000) n",
    );
    await server.query('CREATE TABLE orders AS SELECT generate_series(1, 10) AS number');
    await shop.base();
    await shop.journal();
    await server.query('INSERT INTO orders SELECT generate_series(1, 10)');
    const moment = await flushLsn(server);
    await server.query('UPDATE ballast SET text = reverse(text)');
    await server.query('DROP TABLE orders');
    await shop.ship();
    await server.stop();

    const plan = await shop.plan({ target: { kind: 'lsn', lsn: moment } });
    const isNew = place === 'a new directory';
    const directory = isNew ? path.join(shop.scene.base, 'new') : server.dataDirectory;
    const text = `${moment >> 32n}/${(moment & 0xffff_ffffn).toString(16)}`;
    const args = ['--repo', shop.scene.repositoryPath, '--target', directory, '--to', text];
    const looked = performance.now();
    const token = consentOf(args, isNew);
    const beginning = performance.now() - looked;
    if (!isNew) args.push('--delta', '--consent', token);

    const programs = await findPrograms(16);
    const undone: string[] = [];
    for (let attempt = 0, done = false; !done; attempt++) {
      // What only looks takes as long as the real one does until it writes.
      const killAfter = beginning * (0.8 + Math.random());
      const control = path.join(directory, 'global/pg_control');
      const marker = path.join(directory, '.holdfast-restore');
      const isHalf = () => existsSync(marker) && !existsSync(control);
      // Once for certain in the middle, then wherever it happens to be.
      const killWhen = attempt === 0 ? isHalf : killAfter;
      done = await restore(args, attempt < KILLS ? killWhen : undefined);
      const begun = existsSync(marker);
      if (done || !begun) continue;
      undone.push(existsSync(control) ? 'whole' : 'half');
      if (existsSync(control)) continue;
      const started = spawnSync(
        path.join(programs.bin, 'postgres'),
        ['-D', directory, '-C', 'data_checksums'],
        {
          uid: 65_534,
          gid: 65_534,
          cwd: '/',
        },
      );
      expect(started.status, String(started.stderr)).not.toBe(0);
    }
    // Otherwise nothing was shown.
    expect(undone).toContain('half');
    const counts = await shop.ask(plan, directory, 'SELECT count(*)::int AS orders FROM orders');
    expect(counts).toEqual([{ orders: 20 }]);
    const [ballast] = await shop.ask<{ count: number }>(
      plan,
      directory,
      "SELECT count(*)::int AS count FROM ballast WHERE text = md5(n::text) || repeat('x', 500)",
    );
    expect(ballast).toEqual({ count: 100_000 });
  });
});

const KILLS = 7;

function consentOf(args: readonly string[], isNew: boolean): string {
  const options = [...args, '--dry-run', '--json', ...(isNew ? [] : ['--delta'])];
  const { stdout, stderr } = spawnSync(holdfast, ['postgres', 'restore', ...options], {
    env: { ...process.env, HOLDFAST_PASSWORD: PASSWORD },
    encoding: 'utf8',
  });
  const [, token] = /"token":"([0-9a-f]+)"/.exec(stdout) ?? [];
  expect(token, stdout + stderr).toBeDefined();
  return token ?? '';
}
