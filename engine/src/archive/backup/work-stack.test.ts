import { MessageChannel } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import type { FromWorker, Task, TaskResult, ToWorker } from './protocol.ts';
import { Signals } from './signals.ts';
import { WorkStack } from './work-stack.ts';

const opened: MessageChannel[] = [];
afterEach(() => {
  for (const { port1 } of opened.splice(0)) port1.close();
});

/** Fails where a worker would sleep for ever. */
class WakefulSignals extends Signals {
  onRest: () => void = () => expect.unreachable('the worker sleeps and nobody wakes it');

  override sleep(): void {
    this.onRest();
  }
}

interface Stage {
  readonly signals: WakefulSignals;
  readonly stack: WorkStack;
  /** What the worker did and said, in order. */
  readonly log: string[];
  tell(message: ToWorker): void;
}

/** A worker's stack in this thread; `run` gets each task. */
function stage(
  run: (task: Task, done: (result: TaskResult) => void, stack: WorkStack) => void,
  signals = allocate(),
): Stage {
  const channel = new MessageChannel();
  opened.push(channel);
  const log: string[] = [];
  channel.port2.postMessage = (message: FromWorker) => log.push(message.type);
  const stack: WorkStack = new WorkStack({
    worker: 0,
    port: channel.port2,
    signals,
    run: (task, done) => {
      log.push(nameOf(task));
      run(task, done, stack);
    },
    flush: () => log.push('flush'),
  });
  const tell = (message: ToWorker) => {
    channel.port1.postMessage(message);
    signals.wake(0);
  };
  return { signals, stack, log, tell };
}

function allocate(): WakefulSignals {
  return new WakefulSignals(Signals.allocate(2).shared);
}

function directory(path: string): Task {
  return { kind: 'directory', path, parentTree: undefined };
}

function nameOf(task: Task): string {
  return task.kind === 'directory' ? task.path : task.kind;
}

const done: TaskResult = { kind: 'directory' };

describe('a worker’s stack', () => {
  test('does the last piece first, what a piece adds before what was there, and rests when all is done', () => {
    const { stack, log, signals } = stage((task, finish, own) => {
      if (nameOf(task) === 'b') own.push(directory('b/c'), () => undefined);
      finish(done);
    });
    signals.onRest = () => signals.stop();
    stack.push(directory('a'), () => log.push('a done'));
    stack.push(directory('b'), () => log.push('b done'));
    stack.loop();
    expect(log).toEqual(['b', 'b done', 'b/c', 'a', 'a done', 'hungry']);
  });

  test('gives the oldest piece to a hungry worker, and gets its result under a ticket', () => {
    const { stack, log, signals, tell } = stage((_, finish) => finish(done));
    signals.becomeHungry();
    for (const path of ['oldest', 'middle', 'newest'])
      stack.push(directory(path), () => log.push(`${path} done`));
    signals.onRest = () => {
      if (log.includes('oldest done')) signals.stop();
      else tell({ type: 'result', ticket: 0, result: done });
    };
    stack.loop();
    expect(log).toEqual(['task', 'newest', 'newest done', 'middle', 'middle done', 'hungry', 'oldest done']);
    expect(signals.hungry).toBe(1); // itself
  });

  test('is hungry once, however often it is woken for nothing', () => {
    const { stack, log, signals } = stage(() => undefined);
    let rests = 0;
    signals.onRest = () => {
      rests += 1;
      if (rests === 5) signals.stop();
      signals.wake(0);
    };
    stack.loop();
    expect(log).toEqual(['hungry']);
    expect(signals.hungry).toBe(1);
  });

  test('does not miss a stop that comes between looking and lying down', () => {
    class StoppedInBetween extends WakefulSignals {
      override wakeNumber(worker: number): number {
        if (!this.stopped) {
          this.stop();
          this.wake(worker);
        }
        return super.wakeNumber(worker);
      }
    }
    const { stack, log } = stage(() => undefined, new StoppedInBetween(Signals.allocate(2).shared));
    stack.loop();
    expect(log).toEqual([]);
  });

  test('waits for its packs to be saved, and takes their buffers back', () => {
    const { stack, signals, tell } = stage(() => undefined);
    const buffer = new ArrayBuffer(5);
    for (let pack = 0; pack < 3; pack += 1) signals.packDelivered(0);
    signals.onRest = () => {
      signals.packSaved(0);
      tell({ type: 'buffer', buffer: buffer.slice() });
    };
    stack.waitForSaves(2);
    expect(signals.unsaved(0)).toBe(1);
    expect([stack.takeBuffer()?.byteLength, stack.takeBuffer()?.byteLength, stack.takeBuffer()]).toEqual([
      5,
      5,
      undefined,
    ]);
  });

  test('waits for a tree, also for one that is not there, and takes up what came meanwhile afterwards', () => {
    const { stack, log, signals, tell } = stage((_, finish) => finish(done));
    let asked = 0;
    signals.onRest = () => {
      asked += 1;
      if (asked === 1) tell({ type: 'task', task: directory('sent'), from: 1, ticket: 9 });
      if (asked === 2) tell({ type: 'tree', bytes: undefined });
      if (asked === 3) tell({ type: 'tree', bytes: new Uint8Array([1]) });
      if (asked > 3) signals.stop();
    };
    expect(stack.waitForTree()).toBeUndefined();
    expect(stack.waitForTree()).toEqual(new Uint8Array([1]));
    expect(log).toEqual([]);
    stack.loop();
    expect(log).toEqual(['sent', 'result', 'hungry']);
  });
});

describe('hunger', () => {
  test('is stilled by one piece each: nobody gives twice for one that asked once', () => {
    const signals = Signals.allocate(3);
    expect(signals.claimHungry()).toBe(false);
    signals.becomeHungry();
    signals.becomeHungry();
    expect([signals.claimHungry(), signals.claimHungry(), signals.claimHungry()]).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('and wake numbers and packs are counted for each worker alone', () => {
    const signals = Signals.allocate(3);
    signals.wake(1);
    signals.packDelivered(2);
    expect([0, 1, 2].map((worker) => signals.wakeNumber(worker))).toEqual([0, 1, 0]);
    expect([0, 1, 2].map((worker) => signals.unsaved(worker))).toEqual([0, 0, 1]);
    expect(signals.stopped).toBe(false);
    new Signals(signals.shared).stop();
    expect(signals.stopped).toBe(true);
  });
});
