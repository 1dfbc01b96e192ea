import { rename, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { WebhookBody } from '../../app/src/alert/channel/webhook-body.ts';
import { startHttpSink } from '../servers/http-sink.ts';
import { PolicyScene, until } from './policy-scene.ts';

test('a policy that changes is taken over; a bad one is refused and told; nobody loses points by leaving it', async () => {
  await using scene = await PolicyScene.create();
  await using sink = await startHttpSink();
  const files = { media: await scene.files('media', 2), invoices: await scene.files('invoices', 2) };
  const repositories = { main: await scene.repository('main', { retention: { every: '2s' } }) };
  const alerts = { group: '1s', to: [{ webhook: sink.url }] };
  const source = (name: keyof typeof files) => {
    return { [name]: { files: files[name], snapshot: { every: '2s' }, keep: { last: 2 } } };
  };
  const policy = { stack: 'shop', repositories, alerts };
  await scene.writePolicy({ ...policy, sources: source('media') });
  await using up = scene.up();
  await saved(up, 'media');

  await scene.writePolicy({ ...policy, sources: { ...source('media'), ...source('invoices') } });
  await saved(up, 'invoices');

  // As editors save: another file in its place.
  const good = { ...policy, sources: source('invoices') };
  await writeFile(scene.path('draft'), JSON.stringify({ ...good, sources: { invoices: { filez: '/' } } }));
  await rename(scene.path('draft'), scene.policyFile);
  const refused = await up.said('policy', ({ code }) => code !== undefined);
  expect(refused['message']).toMatch(/line \d+/);
  const saidAt = up.events.length;
  await until('the old policy is still gone by', async () =>
    up.events.slice(saidAt).some(isSnapshotOf('media')),
  );
  await until('somebody is told', async () => codes(sink.received).includes('policy.refused'));

  const before = up.events.length;
  await scene.writePolicy(good);
  await until('the new policy is gone by', async () =>
    up.events.slice(before).some(({ event, code }) => event === 'policy' && code === undefined),
  );
  // Two retentions by the new policy, of which media is no part.
  const since = up.events.length;
  await until('it was thinned twice', async () => {
    const ended = up.events.slice(since).filter(({ event, step }) => event === 'ended' && step === 'forget');
    return ended.length >= 2;
  });
  await scene.judged(
    'all of it is good',
    ({ verdict, sources }) => verdict === 'good' && sources.length === 1,
  );
  await up.stop();
  expect(await pointsOf(scene, 'media')).toBeGreaterThanOrEqual(1);
  expect(await pointsOf(scene, 'invoices')).toBeGreaterThanOrEqual(2);
});

function isSnapshotOf(source: string) {
  return ({ event, about, step, outcome }: Readonly<Record<string, unknown>>) =>
    event === 'ended' && about === source && step === 'snapshot' && outcome === 'done';
}

async function saved(up: ReturnType<PolicyScene['up']>, source: string): Promise<void> {
  await up.said('ended', isSnapshotOf(source));
}

function codes(received: readonly { readonly body: string }[]): string[] {
  return received.flatMap(({ body }) => (JSON.parse(body) as WebhookBody).news.map(({ code }) => code));
}

async function pointsOf(scene: PolicyScene, source: string): Promise<number> {
  const { stdout } = await scene.run([
    'points',
    '--tag',
    `source:${source}`,
    '--json',
    ...scene.access('main'),
  ]);
  return stdout.split('\n').filter((line) => line.includes(`source:${source}`)).length;
}
