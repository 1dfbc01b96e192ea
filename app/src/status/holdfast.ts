import { CONTROL_PLANE, DELIVERY_FAILING } from '../alert/routing.ts';
import { formatAge, formatCounted } from '../cli/format.ts';
import type { Policy } from '../policy/model.ts';
import type { ChannelHealth, Facts } from './facts.ts';
import { HOUR, SILENCE } from './patience.ts';
import type { Status } from './status.ts';
import { Evidence } from './verdict.ts';
import { withStop } from './work.ts';

/** The control plane itself: whether it lives, and whether anybody would hear of it. */
export function judgeHoldfast(policy: Policy, facts: Facts, now: number): Status['holdfast'] {
  const evidence = new Evidence();
  const { beat, channels } = facts;
  if (beat === undefined) evidence.miss('The control plane has never been seen: holdfast up starts it.');
  else {
    evidence.look('control plane', beat);
    if (now - beat > SILENCE) {
      evidence.add({
        key: 'holdfast: silent',
        severity: 'critical',
        about: CONTROL_PLANE,
        code: 'holdfast.silent',
        message: `The control plane showed its last sign of life ${formatAge(beat, now)}: nothing happens by itself.`,
        hint: 'Start it: holdfast up',
        since: beat,
      });
    }
  }
  if (policy.alerts.channels.length > 0) judgeChannels(evidence, policy, channels, now);
  return { ...(beat === undefined ? {} : { beat }), ...evidence.judged() };
}

function judgeChannels(
  evidence: Evidence,
  policy: Policy,
  channels: readonly ChannelHealth[] | undefined,
  now: number,
): void {
  if (channels === undefined) {
    evidence.miss('Whether alerts get through is not known.');
    return;
  }
  const wanted = new Set(policy.alerts.channels.map(({ name }) => name));
  for (const health of channels) {
    const { channel, failingSince, lastError, waiting } = health;
    if (!wanted.has(channel) || failingSince === undefined) continue;
    evidence.add({
      key: `channel ${channel}: delivery failing`,
      severity: now - failingSince > HOUR ? 'critical' : 'warning',
      about: channel,
      code: DELIVERY_FAILING,
      message: `Alerts do not get through to ${channel}${lastError === undefined ? '.' : `: ${withStop(lastError)}`}`,
      hint: `${formatCounted(waiting, 'message')} wait, and are tried again for a day. Try it: holdfast alerts test ${channel}`,
      since: failingSince,
    });
  }
}
