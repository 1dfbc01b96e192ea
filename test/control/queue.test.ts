import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readLastRuns, readUnfinishedRuns } from '../../app/src/catalog/runs.ts';
import type { NewRun, NewStep } from '../../app/src/queue/new-run.ts';
import { RunQueue, STEP_CHANNEL } from '../../app/src/queue/run-queue.ts';
import { manualClock } from '../../app/src/testing/manual-clock.ts';
import { ControlScene, openQueue } from './control-scene.ts';

let scene: ControlScene;
let keeper: Awaited<ReturnType<typeof openQueue>>;

beforeAll(async () => {
  scene = await ControlScene.create();
  keeper = await openQueue(scene);
});

beforeEach(async () => {
  await keeper.database.execute('DELETE FROM holdfast.run');
  await keeper.database.execute('DELETE FROM holdfast_jobs.job');
});

afterAll(async () => {
  await keeper[Symbol.asyncDispose]();
  await scene[Symbol.asyncDispose]();
});

const everything = <Run>(waiting: readonly Run[]) => waiting;

function step(name: string, changes: Partial<NewStep> = {}): NewStep {
  return { name, order: { do: name }, runs: 'when all is well', once: false, decides: true, ...changes };
}

function run(
  about: string,
  steps: readonly NewStep[] = [step('snapshot')],
  changes: Partial<NewRun> = {},
): NewRun {
  return {
    kind: 'snapshot',
    about,
    repositories: ['main'],
    cause: 'schedule',
    dueAt: 1_000,
    priority: 0,
    attempt: 1,
    steps,
    ...changes,
  };
}

/** As if whoever holds a step had not been heard of for a minute, and nobody had looked since. */
const LAPSE = `
  UPDATE holdfast_jobs.job SET heartbeat_on = now() - interval '1 minute' WHERE state = 'active';
  UPDATE holdfast_jobs.queue SET monitor_on = NULL, monitor_claim_on = NULL`;

describe('a run', () => {
  test('goes from step to step and ends with what they brought together', async () => {
    await using plane = await openQueue(scene);
    const { queue, database } = plane;
    await queue.enqueue(run('shop', [step('hook before 1', { once: true }), step('snapshot')]));

    const hook = await queue.take('ann', everything);
    expect(hook).toMatchObject({ name: 'hook before 1', order: { do: 'hook before 1' }, attempt: 1 });
    expect(await queue.take('ben', everything)).toBeUndefined();
    if (hook !== undefined) expect(await queue.finish(hook, { state: 'done' })).toBe(true);
    const snapshot = await queue.take('ben', everything);
    expect(snapshot?.before).toMatchObject([{ name: 'hook before 1', state: 'done' }]);
    const result = { snapshots: ['5e6f'], bytes: 10, added: 5, findings: [], summary: 'saved' };
    if (snapshot !== undefined) await queue.finish(snapshot, { state: 'done', incomplete: true, result });

    const [last] = await readLastRuns(database, [{ kind: 'snapshot', about: 'shop' }]);
    expect(last).toMatchObject({
      state: 'incomplete',
      result,
      steps: [{ state: 'done' }, { state: 'done' }],
    });
    expect(await readUnfinishedRuns(database)).toEqual([]);
  });

  test('is never there twice', async () => {
    await using plane = await openQueue(scene);
    const answers = await Promise.all([1, 2, 3, 4].map(() => plane.queue.enqueue(run('shop'))));
    expect(answers.filter((answer) => answer === 'already there')).toHaveLength(3);
    const taken = await plane.queue.take('ann', everything);
    expect(await plane.queue.enqueue(run('shop'))).toBe('already there');
    if (taken !== undefined) await plane.queue.finish(taken, { state: 'failed' });
    expect(await plane.queue.enqueue(run('shop', undefined, { cause: 'retry', attempt: 2 }))).not.toBe(
      'already there',
    );
  });

  test('that fails does what is for failures, and leaves out the rest', async () => {
    await using plane = await openQueue(scene);
    const { queue, database } = plane;
    const steps = [
      step('snapshot'),
      step('hook after 1'),
      step('hook on failure 1', { runs: 'after a failure', decides: false }),
      step('tidy', { runs: 'always', decides: false }),
    ];
    await queue.enqueue(run('shop', steps));
    const names: string[] = [];
    for (
      let taken = await queue.take('ann', everything);
      taken;
      taken = await queue.take('ann', everything)
    ) {
      names.push(taken.name);
      const failure = { code: 'source.unreachable', message: `${taken.name} failed` };
      await queue.finish(taken, { state: 'failed', failure });
    }
    expect(names).toEqual(['snapshot', 'hook on failure 1', 'tidy']);
    const [last] = await readLastRuns(database, [{ kind: 'snapshot', about: 'shop' }]);
    expect(last).toMatchObject({ state: 'failed', failure: { message: 'snapshot failed' } });
    expect(last?.steps.map(({ state }) => state)).toEqual(['failed', 'skipped', 'failed', 'failed']);
  });

  test('is not begun before its time, and is begun once it has come', async () => {
    const clock = manualClock(1_000_000);
    await using plane = await openQueue(scene, clock);
    await plane.queue.enqueue(run('shop', undefined, { notBefore: 1_060_000 }));
    expect(await plane.queue.take('ann', everything)).toBeUndefined();
    await clock.advance(60_000);
    expect(await plane.queue.take('ann', everything)).toMatchObject({ name: 'snapshot' });
  });

  test('that waits to be tried again is brought forward by one that is due before', async () => {
    await using plane = await openQueue(scene, manualClock(5_000));
    const { queue, database } = plane;
    await queue.enqueue(run('shop', [step('snapshot')], { cause: 'retry', attempt: 3, notBefore: 90_000 }));
    expect(await queue.take('ann', everything)).toBeUndefined();
    const later = run('shop', [step('snapshot')], { dueAt: 4_000, notBefore: 95_000 });
    expect(await queue.enqueue(later)).toBe('already there');
    expect(await queue.take('ann', everything)).toBeUndefined();
    const sooner = run('shop', [step('snapshot')], { dueAt: 4_000, notBefore: 5_000 });
    expect(await queue.enqueue(sooner)).toBe('already there');
    expect(await queue.take('ann', everything)).toMatchObject({ name: 'snapshot', run: { attempt: 3 } });
    expect(await readUnfinishedRuns(database)).toMatchObject([{ about: 'shop', dueAt: 4_000 }]);
  });

  test('that waits is cancelled at once, one that runs is told', async () => {
    await using plane = await openQueue(scene);
    const { queue, database } = plane;
    const waiting = await queue.enqueue(run('waits'));
    const running = await queue.enqueue(run('runs', [step('snapshot'), step('tidy', { runs: 'always' })]));
    if (waiting === 'already there' || running === 'already there') throw new Error('nothing was there');
    expect(await queue.cancel(waiting.id)).toBe('cancelled');
    const taken = await queue.take('ann', everything);
    if (taken === undefined) throw new Error('there is a step to take');
    expect(await queue.beat(taken)).toBe('ours');
    expect(await queue.cancel(running.id)).toBe('told');
    expect(await queue.beat(taken)).toBe('cancel');
    await queue.finish(taken, { state: 'failed', failure: { code: 'interrupted', message: 'cancelled' } });
    const tidy = await queue.take('ann', everything);
    expect(tidy?.name).toBe('tidy');
    if (tidy !== undefined) await queue.finish(tidy, { state: 'done' });
    expect(await queue.take('ann', everything)).toBeUndefined();
    const about = ['waits', 'runs'].map((name) => ({ kind: 'snapshot', about: name }) as const);
    expect((await readLastRuns(database, about)).map(({ state }) => state)).toEqual([
      'cancelled',
      'cancelled',
    ]);
    expect(await queue.cancel(running.id)).toBe('not there');
  });
});

describe('when whoever holds a step dies', () => {
  test('somebody else does it, and what the dead one says later counts for nothing', async () => {
    await using plane = await openQueue(scene);
    await using other = await openQueue(scene);
    await plane.queue.enqueue(run('shop'));
    const first = await plane.queue.take('ann', everything);
    if (first === undefined) throw new Error('there is a step to take');
    await plane.database.execute(LAPSE);
    const second = await other.queue.take('ben', everything);
    expect(second).toMatchObject({ name: 'snapshot', attempt: 2 });
    expect(await plane.queue.beat(first)).toBe('lost');
    expect(await plane.queue.finish(first, { state: 'failed' })).toBe(false);
    if (second !== undefined) expect(await other.queue.finish(second, { state: 'done' })).toBe(true);
    const [last] = await readLastRuns(plane.database, [{ kind: 'snapshot', about: 'shop' }]);
    expect(last).toMatchObject({ state: 'succeeded', steps: [{ attempt: 2 }] });
  });

  test.each([
    { decides: false, end: 'succeeded' },
    { decides: true, end: 'failed' },
  ])(
    'a step that is done once is unknown then, and the run goes on or fails as it says: $end',
    async (about) => {
      await using plane = await openQueue(scene);
      const { queue, database } = plane;
      await queue.enqueue(
        run('shop', [step('hook', { once: true, decides: about.decides }), step('last', { runs: 'always' })]),
      );
      await queue.take('ann', everything);
      await database.execute(LAPSE);
      await using other = await openQueue(scene);
      const next = await other.queue.take('ben', everything);
      expect(next?.name).toBe('last');
      if (next !== undefined) await other.queue.finish(next, { state: 'done' });
      const [last] = await readLastRuns(database, [{ kind: 'snapshot', about: 'shop' }]);
      expect(last).toMatchObject({
        state: about.end,
        steps: [{ state: 'unknown', attempt: 1 }, { state: 'done' }],
      });
    },
  );

  test('a step that was given back is taken again, also one that is done once', async () => {
    await using plane = await openQueue(scene);
    await plane.queue.enqueue(run('shop', [step('hook', { once: true })]));
    const first = await plane.queue.take('ann', everything);
    if (first !== undefined) await plane.queue.giveBack(first);
    expect(await plane.queue.take('ben', everything)).toMatchObject({ name: 'hook' });
  });
});

test('a step that lasts for days stays ours', async () => {
  const clock = manualClock(1_000_000);
  await using plane = await openQueue(scene, clock);
  const { queue, database } = plane;
  await queue.enqueue(run('shop'));
  await queue.enqueue(run('archive'));
  const taken = await queue.take('ann', everything);
  if (taken === undefined) throw new Error('there is a step to take');
  const jobs = async () =>
    await database.query('SELECT job FROM holdfast.run_step WHERE job IS NOT NULL AND state = $1', [
      'running',
    ]);
  const before = await jobs();
  await clock.advance(13 * 3_600_000);
  expect(await queue.beat(taken)).toBe('ours');
  expect(await jobs()).not.toEqual(before);
  expect(await queue.take('ben', (waiting) => waiting)).toMatchObject({
    run: { about: taken.run.about === 'shop' ? 'archive' : 'shop' },
  });
  expect(await queue.take('ben', everything)).toBeUndefined();
  expect(await queue.finish(taken, { state: 'done' })).toBe(true);
});

test('the limits hold over two control planes that ask at once', async () => {
  await using plane = await openQueue(scene);
  await using other = await openQueue(scene);
  for (let number = 0; number < 12; number += 1) await plane.queue.enqueue(run(`source-${number}`));
  const takes = Array.from({ length: 12 }, (_, at) =>
    (at % 2 === 0 ? plane : other).queue.take('somebody', (waiting, running) =>
      running.length < 3 ? waiting : [],
    ),
  );
  const taken = (await Promise.all(takes)).filter((found) => found !== undefined);
  expect(taken).toHaveLength(3);
  expect(new Set(taken.map(({ run: { about } }) => about)).size).toBe(3);
});

test('whoever decides chooses which run begins', async () => {
  await using plane = await openQueue(scene);
  for (const about of ['first', 'second', 'third']) await plane.queue.enqueue(run(about));
  const taken = await plane.queue.take('ann', (waiting) => waiting.filter(({ about }) => about === 'second'));
  expect(taken?.run.about).toBe('second');
});

test('a new step is heard of within milliseconds', async () => {
  await using plane = await openQueue(scene);
  await using other = await openQueue(scene);
  const { promise: heard, resolve } = Promise.withResolvers<number>();
  using _listening = await other.state.listen(STEP_CHANNEL, () => resolve(performance.now()));
  const before = performance.now();
  await plane.queue.enqueue(run('shop'));
  expect((await heard) - before).toBeLessThan(1000);
});

test('a queue is opened any number of times', async () => {
  await using plane = await openQueue(scene);
  await plane.queue.enqueue(run('shop'));
  await using again = await RunQueue.open(plane.database, manualClock(Date.now()));
  expect(await again.take('ann', everything)).toMatchObject({ name: 'snapshot' });
});
