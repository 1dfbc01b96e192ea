import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { openLocal } from '../../engine/src/backend/local/local.ts';
import { type Clock, systemClock as clock } from '../../engine/src/kernel/clock.ts';
import { addKey, changePassword, listKeys, removeKey } from '../../engine/src/repository/keys.ts';
import { listLocks } from '../../engine/src/repository/lock-files.ts';
import { withLock } from '../../engine/src/repository/locks.ts';
import { openRepository } from '../../engine/src/repository/open.ts';
import { BackupScene, PASSWORD, QUICK_KEY } from '../scenes/backup-scene.ts';
import { contentOf } from '../scenes/tree-arbitrary.ts';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';

const withRestic = testWith(restic);

withRestic(
  'while we hold an exclusive lock restic refuses, while we hold a shared one it only does not remove',
  async ({ server }) => {
    using scene = new BackupScene();
    writeFileSync(join(scene.tree, 'file'), 'x');
    const repository = await scene.create();
    await withLock(repository, { exclusive: true, clock }, async () => {
      await expect(scene.restic(server, 'backup', scene.tree)).rejects.toThrow(
        /already locked exclusively by PID \d+ on /,
      );
      await expect(scene.restic(server, 'unlock')).resolves.not.toContain('unable');
      expect(await listLocks(repository)).toHaveLength(1);
    });
    await withLock(repository, { exclusive: false, clock }, async () => {
      await expect(scene.restic(server, 'backup', scene.tree)).resolves.toContain('saved');
      await expect(scene.restic(server, 'prune')).rejects.toThrow(/already locked by PID \d+ on /);
    });
    await scene.restic(server, 'prune');
  },
);

withRestic(
  'while restic holds a lock we do not remove, and while it holds an exclusive one we do nothing',
  async ({ server }) => {
    using scene = new BackupScene();
    const repository = await scene.create();
    // restic reads its standard input for as long as we do not end it, and holds a shared lock meanwhile.
    const child = spawn(server.path, ['--repo', scene.repositoryPath, '--no-cache', 'backup', '--stdin'], {
      env: { ...process.env, RESTIC_PASSWORD: PASSWORD },
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    const closed = once(child, 'close');
    while ((await listLocks(repository)).length === 0) await clock.sleep(20);
    const [held] = await listLocks(repository);
    expect(held!.lock).toMatchObject({ exclusive: false, pid: child.pid });
    const never = async () => expect.unreachable();
    await expect(withLock(repository, { exclusive: true, clock }, never)).rejects.toMatchObject({
      code: 'repository.locked',
      message: expect.stringContaining(`process ${child.pid} of `) as string,
    });
    writeFileSync(join(scene.tree, 'file'), contentOf(40_000_000, 1));
    expect((await scene.backup(repository)).snapshot).toBeDefined();
    child.stdin!.end('content');
    await closed;
    await withLock(repository, { exclusive: true, clock }, async () => undefined);

    // A check of restic's holds an exclusive lock; it is halted while it does, then killed.
    const killed = spawn(
      server.path,
      ['--repo', scene.repositoryPath, '--no-cache', 'check', '--read-data'],
      {
        env: { ...process.env, RESTIC_PASSWORD: PASSWORD },
        stdio: 'ignore',
      },
    );
    const ended = once(killed, 'close');
    while ((await listLocks(repository)).length === 0) await clock.sleep(2);
    killed.kill('SIGSTOP');
    expect(await listLocks(repository)).toMatchObject([{ lock: { exclusive: true, pid: killed.pid } }]);
    // It may be gone in a moment, so we wait a minute: of a clock on which waiting takes no time.
    let waited = 0;
    const hurried: Clock = {
      now: () => clock.now() + waited,
      sleep: async (time, signal) => {
        if (time >= 60_000) return await clock.sleep(time, signal);
        waited += time;
      },
    };
    await expect(scene.backup(repository, { clock: hurried })).rejects.toMatchObject({
      code: 'repository.locked',
      exitCode: 11,
    });
    expect(waited).toBeGreaterThan(50_000);
    killed.kill('SIGKILL');
    await ended;
    // Its process is gone: the lock that it left holds nobody up.
    expect((await scene.backup(repository)).snapshot).toBeDefined();
  },
);

withRestic(
  'restic opens with the passwords that we add and change, and we with those that it adds',
  async ({ server }) => {
    using scene = new BackupScene();
    const repository = await scene.create();
    const withPassword = (password: string, ...args: string[]) =>
      scene.resticIn(scene.base, server, '--password-command', `echo ${password}`, ...args);
    const added = await addKey(repository, 'second', { clock, kdf: QUICK_KEY });
    expect(await withPassword('second', 'cat', 'config')).toContain(repository.config.id);
    const listed = JSON.parse(await scene.restic(server, 'key', 'list', '--json')) as {
      id: string;
      current: boolean;
    }[];
    expect(listed).toHaveLength(2);
    expect(
      (await listKeys(repository))
        .map(({ id }) => id)
        .filter((id) => listed.some((key) => id.startsWith(key.id))),
    ).toHaveLength(2);

    writeFileSync(join(scene.base, 'third'), 'third');
    await scene.restic(server, 'key', 'add', '--new-password-file', join(scene.base, 'third'));
    const third = await openRepository(await openLocal({ path: scene.repositoryPath }), 'third');
    expect(third.config.id).toBe(repository.config.id);
    expect((await listKeys(third)).filter(({ current }) => current)).toHaveLength(1);

    await removeKey(third, added);
    await expect(withPassword('second', 'cat', 'config')).rejects.toThrow(/wrong password/);
    await changePassword(third, 'fourth', { clock, kdf: QUICK_KEY });
    await expect(withPassword('third', 'cat', 'config')).rejects.toThrow(/wrong password/);
    expect(await withPassword('fourth', 'cat', 'config')).toContain(repository.config.id);
  },
);
