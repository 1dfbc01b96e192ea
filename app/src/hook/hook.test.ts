import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Hook } from '../policy/model.ts';
import { runHook } from './hook.ts';

const never = new AbortController().signal;
const context = { stack: 'shop', source: 'media', run: 'run-8412' };
const environment = {
  PATH: process.env['PATH'],
  LC_ALL: 'C',
  METADATA_PASSWORD: 'planted',
  HOLDFAST_PASSWORD: 'planted',
};

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'holdfast-hook-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('a hook', () => {
  test('is told of its run, and nothing that is ours', async () => {
    const told = { ...context, outcome: 'failed', failureCode: 'source.auth', snapshot: '1a2b' } as const;
    const { output } = await runHook(hookOf('env', 'on failure'), told, { environment }, never);
    const names = output.split('\n').map((line) => line.split('=')[0]);
    expect(output).not.toContain('planted');
    expect(names).not.toContain('HOLDFAST_PASSWORD');
    for (const line of [
      'HOLDFAST_STACK=shop',
      'HOLDFAST_SOURCE=media',
      'HOLDFAST_RUN=run-8412',
      'HOLDFAST_WHEN=on failure',
      'HOLDFAST_OUTCOME=failed',
      'HOLDFAST_FAILURE_CODE=source.auth',
      'HOLDFAST_SNAPSHOT=1a2b',
      'LC_ALL=C',
    ]) {
      expect(output.split('\n')).toContain(line);
    }
  });

  test('ends as its command does, and what both streams said is kept', async () => {
    const result = await run('echo one; echo two >&2; exit 7');
    expect(result).toMatchObject({ outcome: 'failed', exitCode: 7, dropped: 0 });
    expect(result.output.split('\n').sort()).toEqual(['', 'one', 'two']);
    expect(await run('true')).toMatchObject({ outcome: 'succeeded', exitCode: 0, output: '' });
    expect(await run('kill -9 $$')).toMatchObject({ outcome: 'failed', endedBy: 'SIGKILL' });
  });

  test('that says very much is kept with its last words', async () => {
    const { output, dropped } = await run('yes holdfast | head -c 1000000; echo the end');
    expect(output.endsWith('the end\n')).toBe(true);
    expect(Buffer.byteLength(output)).toBe(64 * 1024);
    expect(dropped).toBe(1_000_008 - 64 * 1024);
  });

  test('that takes too long is ended with all that it started, even what does not want to', async () => {
    const file = path.join(directory, 'stubborn');
    const command = `(trap "" TERM; echo $$ > ${file}; sh -c 'echo $PPID > ${file}; while :; do sleep 0.05; done') & wait`;
    const result = await runHook(
      { ...hookOf(command), timeout: 300 },
      context,
      { environment, grace: 200 },
      never,
    );
    expect(result.outcome).toBe('timed out');
    const pid = Number(await readFile(file, 'utf8'));
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  test('that is asked to end may tidy up first', async () => {
    const command = 'trap "echo tidied; exit 0" TERM; echo ready; while :; do sleep 0.05; done';
    const result = await runHook({ ...hookOf(command), timeout: 300 }, context, { environment }, never);
    expect(result).toMatchObject({ outcome: 'timed out', exitCode: 0 });
    // Some shells say as well that their child was terminated.
    expect(result.output).toMatch(/^ready\n(Terminated\n)?tidied\n$/);
  });

  test('ends when its run is stopped', async () => {
    const stop = new AbortController();
    const running = runHook(hookOf('sleep 60'), context, { environment }, stop.signal);
    stop.abort();
    expect(await running).toMatchObject({ outcome: 'stopped', endedBy: 'SIGTERM' });
  });

  test('that leaves something running in the background is not waited for', async () => {
    const { outcome, milliseconds, output } = await run('sleep 5 & echo $!');
    expect(outcome).toBe('succeeded');
    expect(milliseconds).toBeLessThan(4000);
    process.kill(Number(output));
  });
});

function run(command: string) {
  return runHook(hookOf(command), context, { environment }, never);
}

function hookOf(command: string, when: Hook['when'] = 'before'): Hook {
  return { when, command, timeout: 10_000, onError: 'stop' };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
