/**
 * A control plane that takes steps and does them by appending a line to the file at argv[3], until it is told to stop or
 * killed; its state is in argv[2]. Says `ready` on stdout. Run by control-scene.ts.
 */
import { appendFileSync } from 'node:fs';
import { RunQueue, STEP_CHANNEL, type TakenStep } from '../../app/src/queue/run-queue.ts';
import { openState } from '../../app/src/state/state.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { isFailure } from '../../engine/src/kernel/failure.ts';

const [directory, log] = process.argv.slice(2) as [string, string];
const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());

const { signal } = new AbortController();
const state = await openState({ directory, clock: systemClock, signal });
const queue = await RunQueue.open(state.database, systemClock);
let wake = () => {};
await state.listen(STEP_CHANNEL, () => wake());
process.stdout.write('ready\n');

while (!stopping.signal.aborted) {
  try {
    const step = await queue.take(`process ${process.pid}`, (waiting, running) =>
      running.length < 3 ? waiting : [],
    );
    if (step !== undefined) await perform(step);
    else await something();
  } catch (error) {
    // The database was killed under us: it comes back.
    if (!isFailure(error, 'state.unavailable')) throw error;
  }
}
await queue[Symbol.asyncDispose]();
await state[Symbol.asyncDispose]();

async function perform(step: TakenStep): Promise<void> {
  const say = (what: string) => appendFileSync(log, `${what} ${step.run.about} ${step.name}\n`);
  say('began');
  // Long enough to be killed in.
  await systemClock.sleep(20 * Math.random());
  if ((await queue.beat(step)) === 'lost') return;
  const recorded = await queue.finish(step, { state: 'done' });
  if (recorded) say('recorded');
}

/** A notice, a stop, or a second: a heartbeat that stopped tells nobody. */
async function something(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  wake = resolve;
  stopping.signal.addEventListener('abort', () => resolve(), { once: true });
  await Promise.race([promise, systemClock.sleep(500)]);
}
