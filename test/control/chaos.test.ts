import { readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readEndedRuns, readUnfinishedRuns } from '../../app/src/catalog/runs.ts';
import type { NewRun } from '../../app/src/queue/new-run.ts';
import { STEP_CHANNEL } from '../../app/src/queue/run-queue.ts';
import { Prng } from '../../bench/corpus/prng.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { isFailure } from '../../engine/src/kernel/failure.ts';
import { ControlScene, openQueue, PlaneProcess } from './control-scene.ts';

const ROUNDS = 10;

const STEPS: NewRun['steps'] = [
  { name: 'before', order: null, runs: 'when all is well', once: true, decides: false },
  { name: 'snapshot', order: null, runs: 'when all is well', once: false, decides: true },
  { name: 'after', order: null, runs: 'always', once: true, decides: false },
];

test('whoever is killed under load, no run is lost, none ends twice, and nothing is repeated that is done once', async () => {
  await using scene = await ControlScene.create();
  const log = path.join(scene.directory, 'log');
  await writeFile(log, '');
  await chmod(log, 0o666);
  const prng = new Prng('chaos');
  await using plane = await openQueue(scene);
  const { queue, database, state } = plane;
  const accepted: string[] = [];
  const enqueue = async (about: string) => {
    try {
      await queue.enqueue({
        kind: 'snapshot',
        about,
        repositories: ['main'],
        cause: 'schedule',
        dueAt: 1,
        priority: 0,
        attempt: 1,
        steps: STEPS,
      });
      accepted.push(about);
    } catch (error) {
      // Killed while it was on its way: nobody promised that it is there.
      if (!isFailure(error, 'state.unavailable')) throw error;
    }
  };
  let planes = [new PlaneProcess(scene, log), new PlaneProcess(scene, log)];
  await using _leftovers = {
    [Symbol.asyncDispose]: async () => void (await Promise.all(planes.map((each) => each.kill()))),
  };
  await Promise.all(planes.map((each) => each.said('ready')));

  for (let round = 0; round < ROUNDS; round += 1) {
    for (let number = 0; number < 8; number += 1) await enqueue(`source-${round}-${number}`);
    const seen = lines(log).length;
    await until(() => lines(log).length >= seen + 1 + prng.below(10));
    if (prng.fraction() < 0.4) {
      await scene.killServer();
    } else {
      const victim = planes[prng.below(planes.length)];
      await victim?.kill();
      planes = planes.filter((each) => each !== victim);
      planes.push(new PlaneProcess(scene, log));
    }
  }

  // A step whose holder was killed is called in when its heartbeat has stopped for ten seconds.
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const look = async () => {
    if ((await readUnfinishedRuns(database)).length === 0) resolve();
  };
  using _listening = await state.listen(STEP_CHANNEL, () => void look().catch(() => undefined));
  // The last victim may have been the server: then whoever asks first is refused, and it is back for the second.
  await look().catch(look);
  await over;
  await Promise.all(planes.map((each) => each.stop()));

  const ended = await readEndedRuns(database);
  const abouts = ended.map(({ about }) => about);
  expect(accepted.filter((about) => !abouts.includes(about))).toEqual([]);
  expect(new Set(abouts).size).toBe(abouts.length);
  expect(ended.filter(({ state: outcome }) => outcome !== 'succeeded')).toEqual([]);
  for (const { steps } of ended) {
    for (const { name, state: outcome } of steps) {
      expect(name === 'snapshot' ? ['done'] : ['done', 'unknown']).toContain(outcome);
    }
  }
  const written = lines(log);
  expect(duplicates(written.filter((line) => /^began .* (?:before|after)$/.test(line)))).toEqual([]);
  expect(duplicates(written.filter((line) => line.startsWith('recorded')))).toEqual([]);
  expect(written.filter((line) => line.startsWith('began'))).not.toHaveLength(0);
});

function lines(log: string): string[] {
  return readFileSync(log, 'utf8').split('\n').slice(0, -1);
}

function duplicates(all: readonly string[]): string[] {
  return all.filter((line, at) => all.indexOf(line) !== at);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await systemClock.sleep(5);
}
