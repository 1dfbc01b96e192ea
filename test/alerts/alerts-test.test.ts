import { describe, expect, test } from 'vitest';
import { define } from '../../app/src/cli/commands/alerts/test.ts';
import { runProgram } from '../../app/src/cli/program.ts';
import { Secret } from '../../app/src/cli/secret.ts';
import { testAlerts } from '../../app/src/operations/alerts/test.ts';
import { recordedContext } from '../../app/src/testing/context.ts';
import { shopPolicy } from '../../app/src/testing/healthy-stack.ts';
import { startHttpSink } from '../servers/http-sink.ts';

describe('holdfast alerts test', () => {
  test('sends a message that says it is a test, and says that it was taken', async () => {
    await using sink = await startHttpSink();
    const { exitCode, context } = await run(['alerts', 'test'], sink.url);
    expect(exitCode).toBe(0);
    expect(context.written.stdout).toMatch(/^✔ ops \(slack\): taken in .*; look whether it arrived\n$/);
    expect(JSON.parse(sink.received[0]?.body ?? '').text).toBe('[shop] Test: alerts of Holdfast arrive here');
  });

  test('fails where a channel takes nothing, and says why without the address', async () => {
    await using sink = await startHttpSink();
    sink.answer((response) => response.writeHead(404).end('no_service'));
    const { exitCode, context } = await run(['alerts', 'test', 'ops'], `${sink.url}/planted`);
    expect(exitCode).toBe(1);
    expect(context.written.stdout).toBe('✖ ops (slack): it answered 404 no_service\n');
    expect(context.written.stderr).toContain('alert.undelivered');
    expect(context.written.stdout + context.written.stderr).not.toContain('planted');
  });

  test('names the channels that there are when it is asked for another', async () => {
    const { exitCode, context } = await run(['alerts', 'test', 'opps'], 'http://127.0.0.1:1');
    expect(exitCode).toBe(2);
    expect(context.written.stderr).toContain('It has ops.');
  });
});

async function run(words: readonly string[], url: string) {
  const context = recordedContext();
  const operation = testAlerts(context, {
    readPolicy: async () => shopPolicy(),
    readValue: async () => new Secret(url),
  });
  const registration = {
    group: ['alerts'],
    define: (parent: Parameters<typeof define>[0], given: Parameters<typeof define>[1]) =>
      define(parent, given, operation),
  } as const;
  return {
    context,
    exitCode: await runProgram(words, context, { version: '0', registrations: [registration] }),
  };
}
