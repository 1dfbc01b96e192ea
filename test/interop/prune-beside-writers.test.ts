import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Clock, systemClock } from '../../engine/src/kernel/clock.ts';
import { checkRepository } from '../../engine/src/repository/check/check.ts';
import { listLocks, removeLocks } from '../../engine/src/repository/lock-files.ts';
import { type PruneResult, type PruneRun, pruneRepository } from '../../engine/src/repository/prune/prune.ts';
import type { Repository } from '../../engine/src/repository/repository.ts';
import { noise } from '../../engine/src/testing/backend-suite.ts';
import { BackupScene, PASSWORD } from '../scenes/backup-scene.ts';
import { contentOf } from '../scenes/tree-arbitrary.ts';
import { treeFacts } from '../scenes/tree-facts.ts';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';

const withRestic = testWith(restic);
const HOUR = 3_600_000;

function ahead(hours: number): Clock {
  return { ...systemClock, now: () => Date.now() + hours * HOUR };
}

async function prune(repository: Repository, changes: Partial<PruneRun> = {}): Promise<PruneResult> {
  const run = { clock: systemClock, approve: () => true, maxUnused: { percent: 0 }, waitAlone: 500 };
  return await pruneRepository(repository, { ...run, ...changes });
}

async function expectSound(repository: Repository): Promise<void> {
  const options = { clock: systemClock, random: Math.random, readData: 'all' } as const;
  const { findings } = await checkRepository(repository, options);
  expect(findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
}

async function markedPacks(repository: Repository): Promise<number> {
  return (await repository.loadIndex()).index.marked().length;
}

/** restic reads its standard input for as long as we do not end it, with the index that it loaded before. */
async function slowBackup(scene: BackupScene, program: { readonly path: string }, begin: Buffer) {
  const args = ['--repo', scene.repositoryPath, '--no-cache', 'backup', '--stdin', '--host', 'slow'];
  const child = spawn(program.path, args, {
    env: { ...process.env, RESTIC_PASSWORD: PASSWORD },
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  // More than a pipe holds: once it is taken, restic is at work.
  await new Promise<void>((resolve, reject) =>
    child.stdin.write(begin, (error) => (error ? reject(error) : resolve())),
  );
  return child;
}

async function endOf(child: ChildProcess): Promise<number> {
  const [code] = (await once(child, 'close')) as [number];
  return code;
}

/** A repository in which a snapshot of restic's was forgotten, so that nobody needs its content. */
async function withForgotten(scene: BackupScene, program: { readonly path: string }) {
  const repository = await scene.create();
  writeFileSync(join(scene.tree, 'stays'), noise(100_000, 1));
  await scene.backup(repository);
  const content = contentOf(12_000_000, 7);
  const child = await slowBackup(scene, program, content);
  child.stdin.end();
  expect(await endOf(child)).toBe(0);
  await scene.restic(program, 'forget', '--host', 'slow', '--keep-tag', 'none');
  expect(await repository.loadSnapshots()).toHaveLength(1);
  return { repository, content };
}

withRestic(
  'while a backup of restic’s relies on what it read before, nothing is marked, be it stopped for long',
  async ({ server }) => {
    using scene = new BackupScene();
    const { repository, content } = await withForgotten(scene, server);
    const child = await slowBackup(scene, server, content.subarray(0, 6_000_000));
    expect((await prune(repository)).postponed?.code).toBe('repository.locked');

    // Stopped, it cannot renew its lock; it looks stale then, and still relies on what it knows.
    child.kill('SIGSTOP');
    await expect.poll(() => readFileSync(`/proc/${child.pid}/stat`, 'latin1')).toMatch(/\) T /);
    const later = ahead(40 / 60);
    expect(await removeLocks(repository, { all: false, clock: later })).toEqual([]);
    expect((await prune(repository, { clock: later })).postponed?.code).toBe('repository.locked');
    expect(await markedPacks(repository)).toBe(0);
    child.kill('SIGCONT');
    child.stdin.end(content.subarray(6_000_000));
    expect(await endOf(child)).toBe(0);

    expect(await prune(repository)).not.toHaveProperty('postponed');
    await prune(repository, { clock: ahead(24) });
    expect(await scene.restic(server, 'check', '--read-data')).toContain('no errors were found');
    expect((await scene.restic(server, 'dump', 'latest', 'stdin')).length).toBeGreaterThan(0);
    await expectSound(repository);
  },
);

withRestic(
  'a repository with marks is whole for restic, which stores anew what it needs',
  async ({ server }) => {
    using scene = new BackupScene();
    const { repository, content } = await withForgotten(scene, server);
    const { plan } = await prune(repository);
    expect(plan.totals.marked.bytes).toBeGreaterThan(content.length / 2);
    expect(await scene.restic(server, 'check', '--read-data')).toContain('no errors were found');

    const child = await slowBackup(scene, server, content);
    child.stdin.end();
    expect(await endOf(child)).toBe(0);
    expect(await scene.restic(server, 'check', '--read-data')).toContain('no errors were found');
    const second = await prune(repository, { clock: ahead(24) });
    expect(second.plan.totals.removed).toEqual(plan.totals.marked);
    expect(await scene.restic(server, 'check', '--read-data')).toContain('no errors were found');
    await expectSound(repository);
  },
);

withRestic('restic prunes between two of our backups, while our marks wait', async ({ server }) => {
  using scene = new BackupScene();
  const { repository } = await withForgotten(scene, server);
  await prune(repository);
  expect(await markedPacks(repository)).toBeGreaterThan(0);
  const packs = await Array.fromAsync(repository.backend.list('pack'));
  await scene.restic(server, 'prune', '--max-unused', '0');
  expect((await Array.fromAsync(repository.backend.list('pack'))).length).toBeLessThan(packs.length);

  mkdirSync(join(scene.tree, 'more'));
  writeFileSync(join(scene.tree, 'more', 'file'), contentOf(12_000_000, 7));
  await scene.backup(repository);
  await prune(repository, { clock: ahead(24) });
  expect(await scene.restic(server, 'check', '--read-data')).toContain('no errors were found');
  expect(treeFacts(await scene.restored(server, 'latest'))).toEqual(treeFacts(scene.tree));
  await expectSound(repository);
});

withRestic('restic forgets and prunes while our marks wait', async ({ server }) => {
  using scene = new BackupScene();
  const { repository } = await withForgotten(scene, server);
  rmSync(join(scene.tree, 'stays'));
  writeFileSync(join(scene.tree, 'new'), noise(200_000, 2));
  const { parent } = await scene.backup(repository);
  await prune(repository);
  await scene.restic(server, 'forget', '--prune', parent?.id ?? '');
  await expectSound(repository);
  const again = await prune(repository, { clock: ahead(24) });
  expect(again.plan.totals.removed.packs).toBe(0);
  expect(await scene.restic(server, 'check', '--read-data')).toContain('no errors were found');
  expect(treeFacts(await scene.restored(server, 'latest'))).toEqual(treeFacts(scene.tree));
});

withRestic(
  'a backup of ours that begins in the moment of a mark waits and does not fail',
  async ({ server }) => {
    using scene = new BackupScene();
    const { repository } = await withForgotten(scene, server);
    const backups: Promise<unknown>[] = [];
    const result = await prune(repository, {
      waitAlone: 60_000,
      onProgress: ({ phase }) => {
        if (phase !== 'index' || backups.length > 3) return;
        backups.push(scene.open().then((own) => scene.backup(own)));
      },
    });
    expect(result.postponed).toBeUndefined();
    expect(backups.length).toBeGreaterThan(0);
    await Promise.all(backups);
    expect(await listLocks(repository)).toEqual([]);
    await expectSound(repository);
  },
);
