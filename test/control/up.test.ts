import { readdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { WebhookBody } from '../../app/src/alert/channel/webhook-body.ts';
import { readWindows } from '../../app/src/catalog/windows.ts';
import { startHttpSink } from '../servers/http-sink.ts';
import { startPostgres } from '../servers/postgres.ts';
import { PolicyScene, until } from './policy-scene.ts';

test('a policy is carried out, and files and every row come back from the copy alone', async () => {
  await using scene = await PolicyScene.create();
  await using server = await startPostgres({ major: 17 });
  await using sink = await startHttpSink();
  await server.query('CREATE TABLE orders AS SELECT n AS id FROM generate_series(1, 1000) n');
  const media = await scene.files('media', 25);
  await scene.writePolicy({
    stack: 'shop',
    timezone: 'UTC',
    repositories: {
      main: await scene.repository('main'),
      offsite: await scene.repository('offsite', { place: 'elsewhere' }),
    },
    sources: {
      media: {
        files: media,
        snapshot: { every: '5s' },
        keep: { for: '1d' },
        objective: { rpo: '30s', copies: 2, places: 2 },
      },
      metadata: {
        postgres: server.url,
        snapshot: { every: '1h' },
        journal: 'continuous',
        keep: { for: '1d' },
        objective: { rpo: '10s', copies: 2, places: 2 },
      },
    },
    copies: [{ from: 'main', to: 'offsite' }],
    alerts: { group: '1s', to: [{ webhook: sink.url }] },
  });
  await using up = scene.up();
  await up.said(
    'ended',
    ({ kind, about, step }) => kind === 'snapshot' && about === 'metadata' && step === 'snapshot',
  );
  await server.query('INSERT INTO orders SELECT n FROM generate_series(1001, 1500) n');
  const [row] = await server.query<{ now: Date }>('SELECT clock_timestamp() AS now');
  const written = row?.now.getTime() ?? 0;

  await until('the last order is in the copy', async () => {
    await using state = await scene.open();
    const windows = await readWindows(state.database);
    return windows.some(({ repository, to }) => repository === 'offsite' && to >= written);
  });
  const status = await scene.judged('all of it is good', ({ verdict }) => verdict === 'good');
  expect(status.sources.map(({ name, copies }) => [name, copies.have])).toEqual([
    ['media', 2],
    ['metadata', 2],
  ]);
  expect((await scene.run(['status', '--state', scene.stateDirectory])).exitCode).toBe(0);
  expect(await up.stop()).toMatchObject({ exitCode: 0 });
  expect(await scene.run(['alerts', 'test', '--policy', scene.policyFile])).toMatchObject({ exitCode: 0 });
  expect(sink.received.map(({ body }) => (JSON.parse(body) as WebhookBody).test)).toContain(true);

  // The site is gone: server, files and repository.
  await server.stop('immediate');
  await rename(scene.path('main'), scene.path('lost'));
  const files = scene.path('files-back');
  const words = ['files', 'restore', 'latest', '--tag', 'source:media', '--target', files];
  expect(await scene.run([...words, ...scene.access('offsite')])).toMatchObject({ exitCode: 0 });
  const back = path.join(files, media);
  expect(await readdir(back)).toHaveLength(25);
  expect(await readFile(path.join(back, 'file-7'), 'utf8')).toBe('what media has in file 7\n');

  const data = scene.path('data-back');
  const owner = process.getuid?.() === 0 ? ['--owner', '65534:65534'] : [];
  const restored = await scene.run([
    ...['postgres', 'restore', '--target', data, '--start', ...owner],
    ...scene.access('offsite'),
  ]);
  expect(restored, restored.stderr).toMatchObject({ exitCode: 0 });
  await using copy = await startPostgres({ major: 17, dataDirectory: data });
  expect(await copy.query('SELECT count(*)::int AS orders FROM orders')).toEqual([{ orders: 1500 }]);
});
