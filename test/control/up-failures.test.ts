import { mkdir, rename, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { WebhookBody } from '../../app/src/alert/channel/webhook-body.ts';
import type { Status } from '../../app/src/status/status.ts';
import { type HttpSink, startHttpSink } from '../servers/http-sink.ts';
import { startPostgres } from '../servers/postgres.ts';
import { PolicyScene, type UpEvent, until } from './policy-scene.ts';

test('what fails is in the status and is told within an interval, and so is that it is over', async () => {
  await using scene = await PolicyScene.create();
  await using server = await startPostgres({ major: 17 });
  await using sink = await startHttpSink();
  const media = await scene.files('media', 3);
  const often = { snapshot: { every: '3s' }, retry: { limit: 0 }, keep: { last: 5 } };
  await scene.writePolicy({
    stack: 'shop',
    repositories: { main: await scene.repository('main'), archive: await scene.repository('archive') },
    sources: {
      media: { files: media, to: 'archive', ...often },
      metadata: { postgres: { url: server.url, evidence: false }, to: 'main', ...often },
    },
    alerts: { group: '1s', to: [{ webhook: sink.url }] },
  });
  await using up = scene.up();
  await scene.judged('all of it is good', ({ verdict }) => verdict === 'good');

  const injections = [
    {
      about: 'media',
      reason: /no repository|does not|cannot|not there|archive/i,
      fail: () => rename(scene.path('archive'), scene.path('archive-away')),
      mend: () => rename(scene.path('archive-away'), scene.path('archive')),
    },
    {
      about: 'metadata',
      reason: /refused|connect|reach/i,
      fail: () => server.stop('immediate'),
      mend: () => server.start(),
    },
    {
      about: 'media',
      reason: /media|exist|no such/i,
      fail: () => rename(media, `${media}-away`),
      mend: () => rename(`${media}-away`, media),
    },
  ];
  for (const { about, reason, fail, mend } of injections) {
    const seen = sink.received.length;
    await fail();
    const from = up.events.length;
    const opened = await news(sink, seen, (one) => one.about === about && one.kind !== 'resolved');
    expect(opened.message).toMatch(reason);
    // One may have been under way when it happened; the next one at the latest is told of.
    const failures = up.events.slice(from).filter(isFailureOf(about));
    expect(failures.length).toBeLessThanOrEqual(2);
    const status = await scene.judged(
      `${about} is not good`,
      (judged) => verdictOf(judged, about) !== 'good',
    );
    expect(status.problems.map((problem) => problem.about)).toContain(about);
    expect((await scene.run(['status', '--state', scene.stateDirectory])).exitCode).not.toBe(0);

    const before = sink.received.length;
    await mend();
    await scene.judged(`${about} is good again`, ({ verdict }) => verdict === 'good');
    if (opened.kind === 'opened')
      await news(sink, before, (one) => one.kind === 'resolved' && one.about === about);
  }
  expect(up.isRunning).toBe(true);
});

test('what cannot even begin is told as well', async () => {
  await using scene = await PolicyScene.create();
  await using sink = await startHttpSink();
  const media = await scene.files('media', 1);
  const slow = scene.path('slow');
  await mkdir(slow);
  await writeFile(scene.path('slow/file'), 'small');
  await scene.writePolicy({
    stack: 'shop',
    repositories: { main: await scene.repository('main') },
    sources: {
      slow: {
        files: slow,
        snapshot: { every: '1h' },
        hooks: [{ before: `touch ${scene.path('begun')}; sleep 60` }],
      },
      media: { files: media, snapshot: { every: '2s' } },
    },
    // One run at a time, and that one hangs in its hook.
    limits: { runs: 1 },
    alerts: { group: '1s', to: [{ webhook: sink.url }] },
  });
  await using _up = scene.up();
  const missed = await news(sink, 0, ({ code }) => code === 'run.missed');
  expect(missed).toMatchObject({ about: expect.stringMatching(/media|main/), severity: expect.anything() });
  await news(sink, 0, ({ code, about }) => code === 'run.missed' && about === 'media');
});

type News = WebhookBody['news'][number];

async function news(sink: HttpSink, from: number, is: (news: News) => boolean): Promise<News> {
  const told = () =>
    sink.received.slice(from).flatMap(({ body }) => (JSON.parse(body) as WebhookBody).news as News[]);
  return await until(
    'somebody is told',
    async () => told().find(is),
    () => JSON.stringify(told(), null, 1),
  );
}

function isFailureOf(name: string) {
  return ({ event, about, outcome }: UpEvent) => event === 'ended' && about === name && outcome === 'failed';
}

function verdictOf({ sources }: Status, name: string) {
  return sources.find((source) => source.name === name)?.verdict;
}
