import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { PolicyScene } from './policy-scene.ts';

test('a repository beside its source is refused before anything is begun, unless the policy accepts it', async () => {
  await using scene = await PolicyScene.create();
  const media = await scene.files('media', 1);
  const main = { ...(await scene.repository('main')), sameHost: undefined };
  await scene.writePolicy({ stack: 'shop', repositories: { main }, sources: { media: { files: media } } });
  const words = ['up', '--policy', scene.policyFile, '--state', scene.stateDirectory];
  const { exitCode, stderr } = await scene.run(words);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('on the same disk as media');
  expect(existsSync(scene.stateDirectory)).toBe(false);
  expect(await readdir(scene.path('main/snapshots'))).toEqual([]);
});
