import { renameSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type HttpSink, type Received, startHttpSink } from '../servers/http-sink.ts';
import { RatesScene } from './rates-scene.ts';
import { UpProcess } from './up-process.ts';

test('a service hears that the control plane starts, lives, is in trouble, and is well again', async () => {
  using scene = await RatesScene.create();
  await using sink = await startHttpSink();
  scene.addNoise('file', 1000);
  const place = scene.savePolicy(`
    stack: shop
    repositories:
      main: { url: ${scene.at('repository')}, password: { file: ${scene.at('password')} }, sameHost: accepted }
    sources:
      files: { files: ${scene.at('data')}, snapshot: { every: 2s }, keep: { last: 3 }, retry: { limit: 0 } }
    alerts:
      - ping: { env: PING_URL }
        every: 2s
  `);
  const heard = hear(sink);
  await using up = new UpProcess(place, { PING_URL: `${sink.url}/uuid` });
  expect(await heard('/uuid/start')).toMatchObject({ method: 'POST' });
  expect(await heard('/uuid')).toMatchObject({ body: 'shop: nothing critical\n' });
  renameSync(scene.at('repository'), scene.at('elsewhere'));
  expect((await heard('/uuid/fail')).body).toContain('shop: files: ');
  renameSync(scene.at('elsewhere'), scene.at('repository'));
  await heard('/uuid');
  await heard('/uuid');
  expect(await up.stop()).toBe(0);
  expect(sink.received.at(-1)?.path).toBe('/uuid');
});

/** The next request for a path that comes after those that were asked for before. */
function hear(sink: HttpSink): (path: string) => Promise<Received> {
  let seen = 0;
  let wake = () => {};
  sink.answer((response) => {
    response.end('ok');
    wake();
  });
  return async (path) => {
    for (;;) {
      const at = sink.received.findIndex((one, index) => index >= seen && one.path === path);
      const found = sink.received[at];
      if (found !== undefined) {
        seen = at + 1;
        return found;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
}
