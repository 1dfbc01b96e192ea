import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AlertChannel, AlertPolicy, Severity } from '../policy/model.ts';
import { type AlertDecision, decideAlerts } from './decision.ts';
import type { Incident, Problem } from './incident.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.parse('2026-11-21T02:00:00Z');

const policy: AlertPolicy = {
  channels: [channelOf('everything', 'info'), channelOf('duty', 'critical')],
  group: MINUTE,
  repeat: 4 * HOUR,
};

describe('what is wrong', () => {
  test('and critical is told at once to whoever wants to know', () => {
    const { messages, opened } = tick(START, [problemOf('media', 'critical')]);
    expect(messages.map(({ channel }) => channel)).toEqual(['everything', 'duty']);
    expect(messages[0]?.news).toMatchObject([{ kind: 'opened', about: 'media', severity: 'critical' }]);
    expect(opened).toHaveLength(1);
  });

  test('but not critical waits for company, then is one message, the oldest trouble first', () => {
    const first = tick(START, [problemOf('media', 'warning')]);
    expect(first.messages).toEqual([]);
    const both = [problemOf('media', 'warning'), { ...problemOf('code', 'warning'), since: START + 1 }];
    expect(tick(START + MINUTE / 2, both, first.incidents).messages).toEqual([]);
    const second = tick(START + MINUTE, both, first.incidents);
    expect(second.messages).toHaveLength(1);
    expect(second.messages[0]?.news.map(({ about }) => about)).toEqual(['media', 'code']);
  });

  test('and waits goes along with what is critical, behind it', () => {
    const first = tick(START, [problemOf('media', 'warning')]);
    const both = [problemOf('media', 'warning'), problemOf('code', 'critical')];
    const { messages } = tick(START + 1000, both, first.incidents);
    expect(messages[0]?.news.map(({ about }) => about)).toEqual(['code', 'media']);
    expect(messages[1]?.news.map(({ about }) => about)).toEqual(['code']);
  });

  test('and over before anybody was told is never mentioned', () => {
    const first = tick(START, [problemOf('media', 'warning')]);
    expect(tick(START + 1000, [], first.incidents)).toMatchObject({ messages: [], incidents: [] });
  });

  test('is told again after the time of the policy, and not before', () => {
    const problems = [problemOf('media', 'critical')];
    const first = tick(START, problems);
    expect(tick(START + 4 * HOUR - 1, problems, first.incidents).messages).toEqual([]);
    const again = tick(START + 4 * HOUR + MINUTE, problems, first.incidents);
    expect(again.messages.map(({ news }) => news[0]?.kind)).toEqual(['repeated', 'repeated']);
    expect(again.repeated).toHaveLength(1);
  });

  test('and gets worse is told at once', () => {
    const warned = settled([problemOf('media', 'warning')]);
    const { messages } = tick(START + HOUR, [problemOf('media', 'critical')], warned);
    expect(messages.map(({ news }) => news[0]?.kind)).toEqual(['worse', 'opened']);
  });

  test('and gets worse again after it was told as that already is not told anew', () => {
    const told = tick(START, [problemOf('media', 'critical')]).incidents;
    const better = tick(START + MINUTE, [problemOf('media', 'warning')], told).incidents;
    expect(tick(START + 2 * MINUTE, [problemOf('media', 'critical')], better).messages).toEqual([]);
  });
});

describe('what is over', () => {
  test('is told once to whoever was told of it, and to nobody else', () => {
    const told = settled([problemOf('media', 'warning')]);
    const gone = tick(START + HOUR, [], told);
    expect(gone.messages).toEqual([]);
    const resolved = tick(START + HOUR + MINUTE, [], gone.incidents);
    expect(resolved.messages).toMatchObject([
      { channel: 'everything', news: [{ kind: 'resolved', until: START + HOUR }] },
    ]);
    expect(tick(START + 2 * HOUR, [], resolved.incidents)).toMatchObject({ messages: [], incidents: [] });
  });

  test('and back soon continues its incident, and its end is then told only after a quiet while', () => {
    const opened = tick(START, [problemOf('media', 'critical')]);
    const gone = tick(START + MINUTE, [], opened.incidents);
    const resolved = tick(START + 2 * MINUTE, [], gone.incidents);
    const back = tick(START + 3 * MINUTE, [problemOf('media', 'critical')], resolved.incidents);
    expect(back.messages[0]?.news).toMatchObject([{ kind: 'back', incident: opened.incidents[0]?.id }]);
    const goneAgain = tick(START + 4 * MINUTE, [], back.incidents);
    expect(tick(START + 9 * MINUTE, [], goneAgain.incidents).messages).toEqual([]);
    expect(tick(START + 10 * MINUTE, [], goneAgain.incidents).messages[0]?.news[0]?.kind).toBe('resolved');
  });

  test('is not told to a channel that the policy no longer has, and forgotten', () => {
    const told = settled([problemOf('media', 'warning')]);
    const changed = { ...policy, channels: [channelOf('duty', 'critical')] };
    const decision = decideAlerts({ problems: [], incidents: told, policy: changed, now: START + HOUR });
    expect(decision).toMatchObject({ messages: [], incidents: [] });
  });
});

describe('a channel', () => {
  test('hears of what it asked for by name, and of the control plane', () => {
    const only = { ...policy, channels: [{ ...channelOf('everything', 'info'), about: ['media'] }] };
    const problems = [
      problemOf('media', 'critical'),
      problemOf('code', 'critical'),
      problemOf('holdfast', 'critical'),
    ];
    const { messages } = decideAlerts({ problems, incidents: [], policy: only, now: START });
    expect(messages[0]?.news.map(({ about }) => about).sort()).toEqual(['holdfast', 'media']);
  });

  test('that fails is told through the others', () => {
    const problem = { ...problemOf('duty', 'critical'), code: 'delivery.failing' };
    expect(tick(START, [problem]).messages.map(({ channel }) => channel)).toEqual(['everything']);
  });

  test('that is new hears of what is wrong already', () => {
    const told = settled([problemOf('media', 'warning')]);
    const wider = { ...policy, channels: [...policy.channels, channelOf('new', 'info')] };
    const now = START + HOUR;
    const problems = [problemOf('media', 'warning')];
    const { messages } = decideAlerts({ problems, incidents: told, policy: wider, now });
    expect(messages.map(({ channel }) => channel)).toEqual(['new']);
  });
});

/** A life of some problems: at each step of half a minute or so, how bad each one is. */
const lives = fc.array(
  fc.record({
    pause: fc.integer({ min: 1, max: 40 }).map((steps) => (steps * MINUTE) / 2),
    severities: fc.array(fc.option(fc.constantFrom<Severity>('info', 'warning', 'critical')), {
      minLength: 3,
      maxLength: 3,
    }),
  }),
  { maxLength: 60 },
);

describe('whatever happens', () => {
  const short = { ...policy, repeat: HOUR };

  test('all that is critical is told within a tick, and nobody is told the same twice within the time to repeat', () => {
    fc.assert(
      fc.property(lives, (life) => {
        const last = new Map<string, { at: number; severity: Severity } | 'over'>();
        live(life, short, ({ messages, incidents }, now) => {
          for (const { channel, news } of messages) {
            for (const one of news) {
              const before = last.get(`${channel} ${one.key}`);
              if (one.kind === 'resolved') {
                expect(before).toBeDefined();
                expect(before).not.toBe('over');
                last.set(`${channel} ${one.key}`, 'over');
                continue;
              }
              if (before !== undefined && before !== 'over' && one.kind !== 'worse') {
                expect(now - before.at).toBeGreaterThanOrEqual(short.repeat);
              }
              last.set(`${channel} ${one.key}`, { at: now, severity: one.severity });
            }
          }
          for (const incident of incidents) {
            if (incident.goneAt !== undefined || incident.severity !== 'critical') continue;
            expect(incident.told.map(({ channel }) => channel).sort()).toEqual(['duty', 'everything']);
          }
        });
      }),
    );
  });

  test('whoever was told of a beginning is told of the end', () => {
    fc.assert(
      fc.property(lives, (life) => {
        const open = new Set<string>();
        let incidents = live(life, short, ({ messages }) => note(messages));
        // Two hours of quiet are more than any wait.
        let now = START + life.reduce((sum, { pause }) => sum + pause, 0);
        for (let step = 0; step < 260; step += 1) {
          now += MINUTE;
          const decision = decideAlerts({ problems: [], incidents, policy: short, now });
          note(decision.messages);
          incidents = decision.incidents;
        }
        expect([...open]).toEqual([]);
        expect(incidents).toEqual([]);

        function note(messages: AlertDecision['messages']): void {
          for (const { channel, news } of messages) {
            for (const { key, kind } of news) {
              if (kind === 'resolved') open.delete(`${channel} ${key}`);
              else open.add(`${channel} ${key}`);
            }
          }
        }
      }),
    );
  });

  test('a problem that comes and goes every minute for a day is told of a few times only', () => {
    let incidents: readonly Incident[] = [];
    let messages = 0;
    for (let minute = 0; minute < 24 * 60; minute += 1) {
      const problems = minute % 2 === 0 ? [problemOf('media', 'critical')] : [];
      const decision = tick(START + minute * MINUTE, problems, incidents);
      incidents = decision.incidents;
      messages += decision.messages.filter(({ channel }) => channel === 'duty').length;
    }
    expect(messages).toBeLessThanOrEqual(10);
  });
});

function live(
  life: readonly { readonly pause: number; readonly severities: readonly (Severity | null)[] }[],
  rules: AlertPolicy,
  watch: (decision: AlertDecision, now: number) => void,
): readonly Incident[] {
  let incidents: readonly Incident[] = [];
  let now = START;
  for (const { pause, severities } of life) {
    now += pause;
    const problems = severities.flatMap((severity, index) =>
      severity === null ? [] : [problemOf(`source-${index}`, severity)],
    );
    const decision = decideAlerts({ problems, incidents, policy: rules, now });
    incidents = decision.incidents;
    watch(decision, now);
  }
  return incidents;
}

function tick(now: number, problems: readonly Problem[], incidents: readonly Incident[] = []): AlertDecision {
  return decideAlerts({ problems, incidents, policy, now });
}

/** The incidents once everybody who wants to has heard of `problems`. */
function settled(problems: readonly Problem[]): readonly Incident[] {
  return tick(START + MINUTE, problems, tick(START, problems).incidents).incidents;
}

function problemOf(about: string, severity: Severity): Problem {
  return {
    key: `source ${about}: run failed`,
    severity,
    about,
    code: 'run.failed',
    message: 'last night’s run failed',
    since: START,
  };
}

function channelOf(name: string, severity: Severity): AlertChannel {
  return { name, severity, about: [], kind: 'slack', url: { kind: 'env', name: 'SLACK' } };
}
