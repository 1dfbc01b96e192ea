import { rm, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { WebhookBody } from '../../app/src/alert/channel/webhook-body.ts';
import { readEndedRuns } from '../../app/src/catalog/runs.ts';
import { pointsOf } from '../../app/src/protect/point-of.ts';
import { decideRetention } from '../../app/src/retention/decide-retention.ts';
import { type HttpSink, startHttpSink } from '../servers/http-sink.ts';
import { PolicyScene, type UpProcess, until } from './policy-scene.ts';

test('what lies in a repository is what the rules keep, and what cannot be judged stays and is told', async () => {
  await using scene = await PolicyScene.create();
  await using sink = await startHttpSink();
  await scene.files('media', 2);
  const main = await scene.repository('main');
  const policy = (snapshot: object | string, retention: object | string) => ({
    stack: 'tidy',
    repositories: { main: { ...main, retention } },
    sources: { media: { files: scene.path('media'), snapshot, keep: { last: 3 } } },
    alerts: { group: '1s', to: [{ webhook: sink.url }] },
  });
  await scene.writePolicy(policy({ every: '1s' }, 'never'));
  await using up = scene.up();
  await until('more was saved than is kept', async () => (await saved(scene)).length >= 5);

  // Nobody knows what this one was: whether it was the newest good one, say.
  const unreadable = scene.path('main/snapshots', 'ab'.repeat(32));
  await writeFile(unreadable, 'this was a snapshot once, and is none any more');
  await scene.writePolicy(policy('never', { every: '2s' }));
  await up.said('policy');
  await retentions(up, 1);
  await scene.judged('it is a problem', ({ problems }) => problems.some(isSkipped));
  await until('somebody is told', async () => newsOf(sink).some(isSkipped));
  expect(await scene.snapshots('main', 'media')).toHaveLength((await saved(scene)).length);

  await rm(unreadable);
  await scene.judged('it is over', ({ problems }) => !problems.some(isSkipped));
  await until('the end is told', async () =>
    newsOf(sink).some((one) => isSkipped(one) && one.kind === 'resolved'),
  );
  const there = await scene.snapshots('main', 'media');
  expect(there.map(({ id }) => id)).toEqual((await saved(scene)).slice(-3));
  const decision = decideRetention({
    points: pointsOf('main', there),
    rules: { last: 3 },
    holds: [],
    findings: [],
    now: Date.now(),
    timezone: 'UTC',
  });
  expect(decision.removed).toEqual([]);
});

/** Nothing was forgotten, or the prune behind it refused to guess. */
function isSkipped({ code, about }: { readonly code: string; readonly about: string }): boolean {
  return about === 'main' && (code === 'retention.skipped' || code === 'run.failed');
}

function newsOf({ received }: HttpSink): WebhookBody['news'][number][] {
  return received.flatMap(({ body }) => (JSON.parse(body) as WebhookBody).news);
}

/** The snapshots that runs have saved, oldest first. */
async function saved(scene: PolicyScene): Promise<string[]> {
  await using state = await scene.open();
  return (await readEndedRuns(state.database))
    .filter(({ kind }) => kind === 'snapshot')
    .toSorted((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0))
    .flatMap(({ result }) => result?.snapshots ?? []);
}

/** Until so many have begun and ended from now on. */
async function retentions(up: UpProcess, count: number): Promise<void> {
  const seen = up.events.length;
  await until('it was thinned', async () => {
    const since = up.events.slice(seen).filter(({ step }) => step === 'forget');
    const begun = new Set(since.filter(({ event }) => event === 'began').map(({ run }) => run));
    return since.filter(({ event, run }) => event === 'ended' && begun.has(run)).length >= count;
  });
}
