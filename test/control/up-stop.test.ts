import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { PolicyScene, until } from './policy-scene.ts';

const MIB = 1024 * 1024;
const SIZE = 64 * MIB;

test('a long upload is ended within seconds, and what was uploaded is not uploaded again', async () => {
  await using scene = await PolicyScene.create();
  const media = await scene.files('media', 1);
  const content = randomBytes(SIZE);
  for (let part = 0; part < 8; part += 1) {
    await writeFile(
      path.join(media, `large-${part}`),
      content.subarray((part * SIZE) / 8, ((part + 1) * SIZE) / 8),
    );
  }
  const main = await scene.repository('main');
  const policy = (limits: object) => {
    const source = { files: media, snapshot: { every: '1h' }, limits };
    return { stack: 'slow', repositories: { main }, sources: { media: source } };
  };
  await scene.writePolicy(policy({ upload: '6 MiB/s' }));
  await using up = scene.up();
  await up.said('began', ({ step }) => step === 'snapshot');
  // A pack has 16 MiB: with the second on its way, the first has arrived.
  await until('something is uploaded', async () => (await packBytes(scene)) > 24 * MIB);
  const { took, exitCode } = await up.stop();
  expect(exitCode).toBe(0);
  expect(took).toBeLessThan(20_000);
  expect([...(await scene.processes()).values()]).toEqual([]);
  expect(await scene.snapshots('main', 'media')).toEqual([]);
  // Nothing keeps others out.
  expect(await readdir(scene.path('main/locks'))).toEqual([]);

  await scene.writePolicy(policy({}));
  await using again = scene.up();
  const ended = await again.said('ended', ({ step, outcome }) => step === 'snapshot' && outcome === 'done');
  expect(ended).toMatchObject({ attempt: 2 });
  await again.stop();
  const [snapshot] = await scene.snapshots('main', 'media');
  expect(snapshot?.summary?.dataAddedPacked).toBeLessThan(SIZE - 12 * MIB);
  const target = scene.path('back');
  // The newest of all is what the control plane has written down at its end.
  const newest = ['latest', '--tag', 'source:media', '--target', target];
  expect(await scene.run(['files', 'restore', ...newest, ...scene.access('main')])).toMatchObject({
    exitCode: 0,
  });
  const back = await readFile(path.join(target, media, 'large-7'));
  expect(back.equals(content.subarray((7 * SIZE) / 8))).toBe(true);
});

test('without anything under way a stop takes a moment', async () => {
  await using scene = await PolicyScene.create();
  await scene.writePolicy({
    stack: 'idle',
    repositories: { main: await scene.repository('main') },
    sources: { media: { files: await scene.files('media', 1), snapshot: { every: '1h' } } },
  });
  await using up = scene.up();
  await scene.judged('all of it is good', ({ verdict }) => verdict === 'good');
  expect((await up.stop()).took).toBeLessThan(5000);
  expect([...(await scene.processes()).values()]).toEqual([]);
});

async function packBytes(scene: PolicyScene): Promise<number> {
  const data = scene.path('main/data');
  let bytes = 0;
  for (const file of await readdir(data, { recursive: true, withFileTypes: true })) {
    if (!file.isFile() || !/^[0-9a-f]{64}$/.test(file.name)) continue;
    bytes += (await stat(path.join(file.parentPath, file.name)).catch(() => ({ size: 0 }))).size;
  }
  return bytes;
}
