import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readEndedRuns, readUnfinishedRuns } from '../../app/src/catalog/runs.ts';
import { startPostgres } from '../servers/postgres.ts';
import { PolicyScene, type UpEvent, type UpProcess, until } from './policy-scene.ts';

/** From the death of the one that leads until the other does. Milliseconds; a few of them are the machine's. */
const SECONDS = 10_000;

test('of two on one state directory one leads; killed, the other does within seconds, and nothing runs twice', async () => {
  await using scene = await PolicyScene.create();
  await tryTwo(scene, {});
});

test('two on one DATABASE_URL do so as well', async () => {
  await using scene = await PolicyScene.create();
  await using server = await startPostgres({ major: 17 });
  await tryTwo(scene, { DATABASE_URL: server.url });
});

async function tryTwo(scene: PolicyScene, environment: Readonly<Record<string, string>>): Promise<void> {
  const hooks = scene.path('hooks');
  await writeFile(hooks, '');
  await scene.writePolicy({
    stack: 'pair',
    repositories: { main: await scene.repository('main') },
    sources: {
      media: {
        files: await scene.files('media', 3),
        snapshot: { every: '1s' },
        keep: { for: '1d' },
        hooks: [{ before: `echo "$HOLDFAST_RUN" >> ${hooks}` }],
      },
    },
  });
  await using first = scene.up(environment);
  await first.said('leading', leads);
  await using second = scene.up(environment);
  await second.said('ready');
  // Both take steps.
  await Promise.all([first.said('ended', isSnapshot), second.said('ended', isSnapshot)]);
  expect(second.events.some((event) => event.event === 'leading' && leads(event))).toBe(false);

  await first.kill();
  const killedAt = Date.now();
  const took = await second.said('leading', leads);
  expect(Number(took['time']) - killedAt).toBeLessThan(SECONDS);
  // What the first one had in hand ends as well: its heartbeat stopped.
  const inHand = runsOf(first, 'began').filter((run) => !runsOf(first, 'ended').includes(run));
  await until('what the first had in hand has ended', async () => {
    await using state = await scene.open(environment['DATABASE_URL']);
    const unfinished = new Set((await readUnfinishedRuns(state.database)).map(({ id }) => id));
    return inHand.every((run) => !unfinished.has(run));
  });
  const seen = second.events.length;
  await until('snapshots go on', async () =>
    second.events.slice(seen).some((event) => event.event === 'ended' && isSnapshot(event)),
  );

  await using state = await scene.open(environment['DATABASE_URL']);
  expect(await second.stop()).toMatchObject({ exitCode: 0 });
  const lines = readFileSync(hooks, 'utf8').split('\n').slice(0, -1);
  expect(new Set(lines).size).toBe(lines.length);
  // Ended once, as far as either knows.
  const ended = [...runsOf(first, 'ended'), ...runsOf(second, 'ended')];
  expect(new Set(ended).size).toBe(ended.length);
  const moments = (await readEndedRuns(state.database))
    .filter(({ kind, attempt }) => kind === 'snapshot' && attempt === 1)
    .map(({ dueAt }) => dueAt);
  expect(new Set(moments).size).toBe(moments.length);
}

function leads(event: UpEvent): boolean {
  return event['leads'] === true;
}

function isSnapshot({ step, outcome }: UpEvent): boolean {
  return step === 'snapshot' && outcome === 'done';
}

/** Runs whose snapshot began, or came to its end, there. */
function runsOf({ events }: UpProcess, event: 'began' | 'ended'): string[] {
  return events
    .filter((one) => one.event === event && one['step'] === 'snapshot')
    .filter(({ outcome }) => event === 'began' || outcome === 'done')
    .map(({ run }) => String(run));
}
