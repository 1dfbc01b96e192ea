import { createHmac, timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sender } from '../../app/src/alert/channel/channel.ts';
import { sendPing } from '../../app/src/alert/channel/ping.ts';
import { webhookBody } from '../../app/src/alert/channel/webhook-body.ts';
import { Secret } from '../../app/src/cli/secret.ts';
import type { AlertChannel } from '../../app/src/policy/model.ts';
import { type HttpSink, startHttpSink } from '../servers/http-sink.ts';
import { AT, failedRun, letterOf } from './letters.ts';

const never = new AbortController().signal;
const PLANTED = 'T00000000/B00000000/plantedsecretplantedsecret';

let sink: HttpSink;
beforeEach(async () => {
  sink = await startHttpSink();
});
afterEach(() => sink[Symbol.asyncDispose]());

describe('Slack', () => {
  test('gets blocks, the worst first, with nothing that it would take for a mention or a link', async () => {
    expect(await send(slack())).toEqual({ ok: true });
    const [request] = sink.received;
    expect(request?.path).toBe(`/services/${PLANTED}`);
    const body = JSON.parse(request?.body ?? '');
    expect(body.text).toContain(
      '✖ media: The last snapshot of media failed: &lt;the source&gt; &amp; its login.',
    );
    expect(body.blocks.map(({ type }: { type: string }) => type)).toEqual(['header', 'section', 'context']);
    expect(body.blocks[1].text.text).toContain('&lt;the source&gt; &amp; its login.');
    expect(body.blocks[1].text.text).toContain('since 21 Nov 2026 10:51 +07:00');
    expect(body.blocks[1].text.text).toContain('→ Next try 21 Nov 2026 11:00');
  });

  test('gets of a flood as much as fits, and is told that there is more', async () => {
    const news = Array.from({ length: 500 }, (_, index) => ({
      ...failedRun,
      about: `source-${index}`,
      message: 'x'.repeat(9000),
    }));
    await sender(slack(), tools())(letterOf(news), never);
    const body = JSON.parse(sink.received[0]?.body ?? '');
    expect(body.blocks.length).toBeLessThanOrEqual(50);
    for (const block of body.blocks) expect(block.text?.text.length ?? 0).toBeLessThanOrEqual(3000);
    expect(JSON.stringify(body.blocks.at(-1))).toContain('And 490 more: holdfast status shows all.');
  });

  test('is not told over a line that others could read', async () => {
    const outcome = await sender(slack(), tools({ url: `http://hooks.example/services/${PLANTED}` }))(
      letterOf(),
      never,
    );
    expect(outcome).toMatchObject({ ok: false, message: expect.stringContaining('http://') });
  });

  test('that refuses is quoted where its answer is a word, and only then', async () => {
    sink.answer((response) => response.writeHead(410).end('channel_is_archived'));
    expect(await send(slack())).toMatchObject({ ok: false, message: 'it answered 410 channel_is_archived' });
    sink.answer((response, { path }) => response.writeHead(403).end(`no access to ${path}`));
    expect(await send(slack())).toMatchObject({ ok: false, message: 'it answered 403' });
  });
});

describe('a webhook', () => {
  const KEY = 'planted-signing-key';

  test('gets what its schema says, signed so that its receiver can tell who wrote it and when', async () => {
    expect(await send(webhook())).toEqual({ ok: true });
    const [request] = sink.received;
    expect(webhookBody.parse(JSON.parse(request?.body ?? ''))).toMatchObject({
      version: 1,
      delivery: 'a1b2',
      stack: 'Shop & Co',
      news: [{ about: 'media', code: 'run.failed', since: '2026-11-21T03:51:00.000Z' }],
    });
    expect(request?.headers['holdfast-delivery']).toBe('a1b2');
    expect(accepts(request?.headers['holdfast-signature'], request?.body ?? '', AT)).toBe(true);
    expect(accepts(request?.headers['holdfast-signature'], `${request?.body} `, AT)).toBe(false);
    expect(accepts(request?.headers['holdfast-signature'], request?.body ?? '', AT + 301_000)).toBe(false);
  });

  test('with a login in its address gets it as a header', async () => {
    const url = sink.url.replace('http://', 'http://ann:s%20ecret@');
    await sender(webhook(), tools({ url }))(letterOf(), never);
    expect(sink.received[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from('ann:s ecret').toString('base64')}`,
    );
  });

  /** What docs/guide/alerts.md tells a receiver to do. */
  function accepts(header: string | string[] | undefined, body: string, now: number): boolean {
    const [, seconds, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(header)) ?? [];
    if (seconds === undefined || signature === undefined) return false;
    if (Math.abs(now / 1000 - Number(seconds)) > 300) return false;
    const expected = createHmac('sha256', KEY).update(`${seconds}.${body}`).digest();
    return timingSafeEqual(expected, Buffer.from(signature, 'hex'));
  }
});

describe('a receiver', () => {
  test('that redirects is not followed', async () => {
    sink.answer((response) => response.writeHead(307, { location: '/elsewhere' }).end());
    expect(await send(webhook())).toMatchObject({
      ok: false,
      message: expect.stringContaining('a redirect'),
    });
    expect(sink.received.map(({ path }) => path)).not.toContain('/elsewhere');
  });

  test('that says when to come back is taken at its word', async () => {
    sink.answer((response) => response.writeHead(429, { 'retry-after': '120' }).end());
    expect(await send(slack())).toMatchObject({ ok: false, message: 'it answered 429', retryAfter: 120_000 });
    sink.answer((response) =>
      response.writeHead(503, { 'retry-after': new Date(AT + 30_000).toUTCString() }).end(),
    );
    expect(await send(slack())).toMatchObject({ retryAfter: 30_000 });
  });

  test('that refuses a message for what it says is told apart from one that is out of order', async () => {
    sink.answer((response) => response.writeHead(400).end('invalid_blocks'));
    expect(await send(slack())).toMatchObject({ fault: 'message' });
    sink.answer((response) => response.writeHead(500).end());
    expect(await send(slack())).toEqual({ ok: false, message: 'it answered 500' });
  });

  test('that takes the message and never answers is given up in time', async () => {
    sink.answer(() => {});
    expect(await send(slack(), 100)).toMatchObject({ ok: false, message: 'it did not answer within 0.1 s' });
  });

  test('that took the message and does not come to the end of its thanks has taken it', async () => {
    sink.answer((response) => response.writeHead(200).write('x'));
    expect(await send(slack())).toEqual({ ok: true });
  });

  test('that begins a refusal and never ends it is given up in time', async () => {
    sink.answer((response) => response.writeHead(500).write('x'));
    expect(await send(slack(), 100)).toMatchObject({ ok: false });
  });

  test('that answers without end is not listened to', async () => {
    sink.answer((response) => {
      response.writeHead(500);
      const pour = () => {
        while (response.write('x'.repeat(65_536)));
        response.once('drain', pour);
      };
      pour();
    });
    expect(await send(slack())).toEqual({ ok: false, message: 'it answered 500' });
  });

  test('that is not there is told by the system’s own word', async () => {
    await sink[Symbol.asyncDispose]();
    const outcome = await send(slack());
    expect(outcome).toEqual({ ok: false, message: 'it could not be reached (ECONNREFUSED)' });
    sink = await startHttpSink();
  });
});

describe('a sign of life', () => {
  test.each([
    ['start', '/ping/1/start?rid=7'],
    ['success', '/ping/1?rid=7'],
    ['fail', '/ping/1/fail?rid=7'],
  ] as const)('%s goes where healthchecks.io looks for it', async (sign, path) => {
    const to = { url: new Secret(`${sink.url}/ping/1?rid=7`), timeLimit: 5000 };
    expect(await sendPing(sign, 'x'.repeat(20_000), to, { now: () => AT }, never)).toEqual({ ok: true });
    expect(sink.received[0]).toMatchObject({ path, body: 'x'.repeat(10_000) });
  });
});

test('no address, login or key is in anything that a channel says, whatever goes wrong', async () => {
  const answers: Parameters<HttpSink['answer']>[0][] = [
    (response, { path, body }) => response.writeHead(500).end(`${path} ${body}`),
    (response, { path }) => response.writeHead(302, { location: path }).end(),
    (response) => response.destroy(),
    (response, { path }) => response.writeHead(403, path.replaceAll('/', ' ')).end(path),
  ];
  const said: unknown[] = [];
  for (const answer of answers) {
    sink.answer(answer);
    said.push(await send(slack()), await send(webhook()));
  }
  for (const url of [`https://${PLANTED}`, `ftp://x/${PLANTED}`, PLANTED, `https://127.0.0.1:1/${PLANTED}`]) {
    said.push(await sender(slack(), tools({ url }))(letterOf(), never));
  }
  expect(said.every((one) => (one as { ok: boolean }).ok)).toBe(false);
  expect(inspect(said, { depth: 9, showHidden: true })).not.toMatch(/planted|T00000000/i);
});

function send(channel: AlertChannel, timeLimit = 5000) {
  return sender(channel, tools({ timeLimit }))(letterOf(), never);
}

function tools({ url = `${sink.url}/services/${PLANTED}`, timeLimit = 5000 } = {}) {
  return {
    readValue: async (reference: { kind: string }) =>
      new Secret(reference.kind === 'env' ? url : 'planted-signing-key'),
    clock: { now: () => AT },
    timeLimit,
  };
}

const COMMON = { name: 'ops', severity: 'info', about: [] } as const;

function slack(): AlertChannel {
  return { ...COMMON, kind: 'slack', url: { kind: 'env', name: 'SLACK' } };
}

function webhook(): AlertChannel {
  return {
    ...COMMON,
    kind: 'webhook',
    url: { kind: 'env', name: 'HOOK' },
    secret: { kind: 'file', path: '/run/secrets/hook' },
  };
}
