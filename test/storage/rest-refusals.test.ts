import { type Backend, createBackend, openBackend, parseAddress } from '@holdfast/engine';
import { noise } from '@holdfast/engine/testing';
import { expect, test } from 'vitest';
import { sha256Id } from '../../engine/src/kernel/hash.ts';
import { type RestScene, restScene, type SceneOptions, userLine } from './rest-scene.ts';

/** Larger than what fits between two ends of a connection: the answer comes while the client is still sending. */
const large = noise(40_000_000);
const pack = { type: 'pack', name: sha256Id(large) } as const;

interface Pair extends AsyncDisposable {
  readonly scene: RestScene;
  readonly backend: Backend;
}

async function pair(options: SceneOptions, password: string): Promise<Pair> {
  const scene = await restScene({ ...options, users: await userLine('anna', 'right') });
  const address = parseAddress(`rest:${scene.server.url}anna/`);
  const settings = (password: string) => ({
    extended: new Map<string, string>(),
    environment: {},
    restLogin: { username: 'anna', password },
  });
  await (await createBackend(address, settings('right'))).close();
  const backend = await openBackend(address, settings(password));
  return {
    scene,
    backend,
    async [Symbol.asyncDispose]() {
      await backend.close();
      await scene[Symbol.asyncDispose]();
    },
  };
}

test('a client hears that its password is wrong, however much it was sending', async () => {
  await using wrong = await pair({}, 'wrong');
  await expect(wrong.backend.save(pack, large)).rejects.toMatchObject({ code: 'backend.denied' });
});

test('a client hears that there is no room, in the middle of what it was sending', async () => {
  await using small = await pair({ maxSize: 5_000_000 }, 'right');
  await expect(small.backend.save(pack, large)).rejects.toMatchObject({ code: 'backend.full' });
  expect(await Array.fromAsync(small.backend.list('pack'))).toEqual([]);
  const little = noise(4_000_000);
  await small.backend.save({ type: 'pack', name: sha256Id(little) }, little);
});

test('a client hears that a large file is there already', async () => {
  await using one = await pair({}, 'right');
  await one.backend.save(pack, large);
  await expect(one.backend.save(pack, large)).rejects.toMatchObject({ code: 'backend.exists' });
});

test('what was damaged on its way is refused as worth another try', async () => {
  await using one = await pair({}, 'right');
  await expect(one.backend.save(pack, large.subarray(1))).rejects.toMatchObject({
    code: 'backend.io',
    retry: true,
  });
  await one.backend.save(pack, large);
});
