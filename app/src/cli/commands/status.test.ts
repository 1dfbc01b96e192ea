import { Failure } from '@holdfast/engine';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import type { Facts } from '../../status/facts.ts';
import { judge } from '../../status/judge.ts';
import { recordedContext } from '../../testing/context.ts';
import { healthyFacts, MINUTE, NOW, shopPolicy } from '../../testing/healthy-stack.ts';
import type { Context } from '../context.ts';
import { runProgram } from '../program.ts';
import { define, type ReadStatus } from './status.ts';

describe('holdfast status', () => {
  test('ends with 0 when all is good', async () => {
    const { exitCode, context } = await runStatus(['status'], healthyFacts());
    expect(exitCode).toBe(0);
    expect(context.written.stdout).toContain('✔ media');
    expect(context.written.stderr).toBe('');
  });

  test.each([
    [1, 'at risk', 'main', atRisk()],
    [2, 'broken', 'the control plane', healthyFacts({ beat: NOW - 10 * MINUTE })],
    [3, 'unknown', 'metadata', healthyFacts({ journals: [] })],
  ])('ends with %i when something is %s, and names it', async (expected, verdict, name, facts) => {
    const { exitCode, context } = await runStatus(['status', '--json'], facts);
    expect(exitCode).toBe(expected);
    const [record, error] = context.written.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(record).toMatchObject({ type: 'stack', verdict });
    expect(error).toMatchObject({
      type: 'error',
      exitCode: expected,
      message: expect.stringContaining(name),
    });
  });

  test('--watch draws over itself until it is interrupted', async () => {
    const interrupt = new AbortController();
    const context = recordedContext({ signal: interrupt.signal }, { interactive: true });
    let reads = 0;
    const readStatus = async () => {
      reads += 1;
      if (reads === 3) interrupt.abort(new Failure('interrupted', 'interrupted'));
      return judge({ policy: shopPolicy(), facts: healthyFacts(), now: NOW });
    };
    const clock = { now: () => NOW, sleep: async () => {} };
    expect(await run(['status', '--watch'], { ...context, clock }, readStatus)).toBe(0);
    expect(context.written.stdout.split('\x1b[H')).toHaveLength(4);
  });
});

async function runStatus(words: readonly string[], facts: Facts) {
  const context = recordedContext();
  const exitCode = await run(words, context, async () => judge({ policy: shopPolicy(), facts, now: NOW }));
  return { exitCode, context };
}

function run(words: readonly string[], context: Context, readStatus: ReadStatus) {
  const registration = {
    group: [],
    define: (parent: Command, given: Context) => define(parent, given, readStatus),
  };
  return runProgram(words, context, { version: '0', registrations: [registration] });
}

function atRisk(): Facts {
  const facts = healthyFacts();
  return {
    ...facts,
    retentions: facts.retentions.map((one) => ({ ...one, skipped: 'a snapshot is unreadable' })),
  };
}
