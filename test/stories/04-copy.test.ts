import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openLocal } from '../../engine/src/backend/local/local.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import type { HeldLock } from '../../engine/src/repository/held-lock.ts';
import { takeLock } from '../../engine/src/repository/locks.ts';
import { openRepository } from '../../engine/src/repository/open.ts';
import { commandLine } from './command-line.ts';

async function holdExclusively(repository: string, password: string): Promise<HeldLock> {
  const opened = await openRepository(await openLocal({ path: repository }), password);
  return await takeLock(opened, { exclusive: true, clock: systemClock });
}

test('the first repository is damaged, then gone: what could be copied comes back from the copy', async () => {
  using person = commandLine({
    HOLDFAST_REPOSITORY: 'copy',
    HOLDFAST_PASSWORD: 'of the copy',
    HOLDFAST_FROM_REPOSITORY: 'first',
    HOLDFAST_FROM_PASSWORD: 'of the first',
  });
  const first = { HOLDFAST_REPOSITORY: 'first', HOLDFAST_PASSWORD: 'of the first' };
  const home = path.join(person.directory, 'home');
  mkdirSync(home);
  await person.run(['repo', 'init'], { environment: first });
  const saved: string[] = [];
  for (const day of ['monday', 'tuesday']) {
    writeFileSync(path.join(home, day), `Dear reader of ${day}\n`.repeat(1000));
    const { lines } = await person.run(['files', 'backup', 'home', '--json'], { environment: first });
    saved.push(lines().at(-1)?.['snapshot'] as string);
  }
  const [monday, tuesday] = saved as [string, string];
  const damaged = path.join(person.directory, 'first', 'snapshots', monday);
  const bytes = readFileSync(damaged);
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  rmSync(damaged);
  writeFileSync(damaged, bytes);

  await person.run(['repo', 'init', '--copy-chunker-params']);
  const pruning = await holdExclusively(path.join(person.directory, 'first'), 'of the first');
  expect((await person.run(['repo', 'copy'])).exitCode).toBe(11);
  // The machine that made it still knows what it said; any other one does not.
  const elsewhere = ['repo', 'copy', '--no-cache'];
  expect((await person.run([...elsewhere, '--no-lock', '--dry-run'])).exitCode).toBe(3);
  await pruning.release();
  const copied = await person.run([...elsewhere, '--json']);
  expect(copied.exitCode).toBe(3);
  expect(copied.lines().filter(({ type }) => type !== 'status')).toMatchObject([
    { type: 'copied', from: tuesday },
    { type: 'finding', code: 'copy.snapshot-unreadable', subject: `snapshot ${monday.slice(0, 8)}` },
    { type: 'summary', copied: 1 },
    { type: 'error', code: 'incomplete', exitCode: 3 },
  ]);
  expect(readdirSync(path.join(person.directory, 'first', 'locks'))).toEqual([]);

  rmSync(path.join(person.directory, 'first'), { recursive: true });
  const gone = await person.run(['repo', 'copy']);
  expect(gone.exitCode).toBe(10);
  const restored = await person.run(['files', 'restore', 'latest', '--target', 'back', '--verify']);
  expect(restored.exitCode).toBe(0);
  for (const day of ['monday', 'tuesday']) {
    const back = readFileSync(path.join(person.directory, 'back', 'home', day), 'utf8');
    expect(back).toBe(readFileSync(path.join(home, day), 'utf8'));
  }
});
