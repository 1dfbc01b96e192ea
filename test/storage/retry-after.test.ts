import { type Backend, createBackend, parseAddress, retry } from '@holdfast/engine';
import { virtualClock } from '@holdfast/engine/testing';
import { expect, test } from 'vitest';
import { HostileProxy } from '../servers/hostile-proxy.ts';
import { minio, startMinio } from '../servers/minio.ts';
import { testWith } from '../servers/test-with.ts';
import { restScene } from './rest-scene.ts';
import { newPlace } from './s3-user.ts';

/* A server that has too much to do says when it wants to be asked again; it is the server's proxy that says so here. */

const CONFIG = { type: 'config', name: 'config' } as const;
const RESTS = [
  { status: 503, code: 'SlowDown', retryAfter: '40' },
  { status: 429, code: 'TooManyRequests', retryAfter: '40' },
] as const;

/** Looks for a file, is told to wait, and answers for how long each wait was. */
async function waitsOf(
  backend: Backend,
  proxy: HostileProxy,
  told: (typeof RESTS)[number],
): Promise<readonly number[]> {
  const clock = virtualClock();
  const patient = retry(backend, { clock, random: () => 0 });
  const before = proxy.befallen.length;
  proxy.choose = () => (proxy.befallen.length === before ? told : undefined);
  try {
    await patient.stat(CONFIG).catch(() => undefined);
    expect(proxy.befallen.length).toBe(before + 1);
    return clock.sleeps;
  } finally {
    proxy.choose = () => undefined;
  }
}

testWith(minio)('an S3 server is left alone for as long as it asks', async ({ server }) => {
  await using s3 = await startMinio(server.path);
  await using proxy = await HostileProxy.before(s3.endpoint);
  Object.assign(process.env, s3.environment);
  const settings = { extended: new Map(), environment: s3.environment };
  const backend = await createBackend(parseAddress(newPlace(proxy.endpoint)), settings);
  for (const told of RESTS) expect(await waitsOf(backend, proxy, told)).toEqual([40_000]);
  await backend.close();
});

test('and so is a REST server', async () => {
  await using scene = await restScene();
  await using proxy = await HostileProxy.before(scene.server.url);
  const settings = { extended: new Map(), environment: {} };
  const backend = await createBackend(parseAddress(`rest:${proxy.endpoint}/folder/`), settings);
  for (const told of RESTS) expect(await waitsOf(backend, proxy, told)).toEqual([40_000]);
  await backend.close();
});
