import { expect, test } from 'vitest';
import { sender } from '../../app/src/alert/channel/channel.ts';
import { decideAlerts } from '../../app/src/alert/decision.ts';
import { deliverDue } from '../../app/src/alert/delivery.ts';
import type { Incident } from '../../app/src/alert/incident.ts';
import { Secret } from '../../app/src/cli/secret.ts';
import type { Facts } from '../../app/src/status/facts.ts';
import { judge } from '../../app/src/status/judge.ts';
import { healthyFacts, MINUTE, NOW, SECOND, shopPolicy } from '../../app/src/testing/healthy-stack.ts';
import { memoryOutbox } from '../../app/src/testing/memory-outbox.ts';
import { startHttpSink } from '../servers/http-sink.ts';

const never = new AbortController().signal;

test('a journal that stops is told at once, also when Slack is away for a minute, and so is its end', async () => {
  await using sink = await startHttpSink();
  const policy = shopPolicy();
  const outbox = memoryOutbox();
  let now = NOW;
  const send = sender(policy.alerts.channels[0] as (typeof policy.alerts.channels)[number], {
    readValue: async () => new Secret(sink.url),
    clock: { now: () => now },
  });
  const tools = {
    outbox,
    senders: new Map([['ops', send]]),
    letterhead: policy,
    now: () => now,
    random: () => 0,
  };
  let incidents: readonly Incident[] = [];
  const live = async (facts: (at: number) => Facts, milliseconds: number) => {
    for (const end = now + milliseconds; now < end; now += SECOND) {
      const { problems } = judge({ policy, facts: facts(now), now });
      const decision = decideAlerts({ problems, incidents, policy: policy.alerts, now });
      incidents = decision.incidents;
      await outbox.add(decision.messages, now);
      await deliverDue(tools, never);
    }
  };
  const told = () => sink.received.map(({ body }) => JSON.parse(body).text as string);

  await live(fresh, 5 * SECOND);
  expect(told()).toEqual([]);
  sink.answer((response) => response.writeHead(503).end());
  await live(stopped, MINUTE);
  expect(await outbox.health()).toMatchObject([{ channel: 'ops', lastError: 'it answered 503', waiting: 1 }]);
  sink.answer((response) => response.end('ok'));
  const tried = sink.received.length;
  await live(stopped, 30 * SECOND);
  expect(told().slice(tried)).toEqual([
    expect.stringContaining('✖ metadata: The journal of metadata has been stopped'),
  ]);
  await live(fresh, 2 * MINUTE);
  expect(told().slice(tried + 1)).toEqual(['[shop] ✔ Over: metadata']);
  await live(fresh, 10 * MINUTE);
  expect(incidents).toEqual([]);
});

/** Healthy, and looked at just now. */
function fresh(now: number): Facts {
  const facts = healthyFacts();
  const journals = facts.journals.map((journal) => ({
    ...journal,
    seenAt: now,
    spoolMoment: now,
    repositoryMoment: now,
  }));
  const windows = facts.windows?.map((window) => ({ ...window, to: now }));
  return { ...facts, beat: now, journals, ...(windows === undefined ? {} : { windows }) };
}

function stopped(now: number): Facts {
  const facts = fresh(now);
  const journals = facts.journals.map((journal) => ({ ...journal, state: 'stopped' as const, since: NOW }));
  return { ...facts, journals };
}
