import { randomUUID } from 'node:crypto';
import { Failure } from '@holdfast/engine';
import { sender } from '../../alert/channel/channel.ts';
import type { ReadValue } from '../../alert/channel/sending.ts';
import type { ChannelTrial, TestAlerts } from '../../cli/commands/alerts/test.ts';
import type { AlertChannel, Policy } from '../../policy/model.ts';
import type { Machine } from '../machine.ts';

export interface AlertSources {
  /** The policy of a file, or of the place where it is looked for. */
  readonly readPolicy: (file: string | undefined) => Promise<Policy>;
  readonly readValue: ReadValue;
}

/** All at once: what is slow is one of them, not their number. */
export function testAlerts({ clock }: Pick<Machine, 'clock'>, sources: AlertSources): TestAlerts {
  return async ({ policy: file, channel: name }, { signal }) => {
    const { alerts, stack, timezone } = await sources.readPolicy(file);
    const channels = chosen(alerts.channels, name);
    const trial = async (channel: AlertChannel): Promise<ChannelTrial> => {
      const begun = clock.now();
      const message = { channel: channel.name, at: begun, test: true, news: [] } as const;
      const send = sender(channel, { readValue: sources.readValue, clock });
      const sent = await send({ id: randomUUID(), message, letterhead: { stack, timezone } }, signal);
      const told = { channel: channel.name, kind: channel.kind, milliseconds: clock.now() - begun };
      if (sent.ok) return told;
      const { message: reason, hint } = sent;
      return { ...told, failure: { message: reason, ...(hint === undefined ? {} : { hint }) } };
    };
    return Promise.all(channels.map(trial));
  };
}

function chosen(channels: readonly AlertChannel[], name: string | undefined): readonly AlertChannel[] {
  const found = name === undefined ? channels : channels.filter((channel) => channel.name === name);
  if (found.length > 0) return found;
  const names = channels.map((channel) => channel.name).join(', ');
  throw new Failure(
    'usage',
    name === undefined || channels.length === 0
      ? 'the policy has no channel for alerts'
      : `the policy has no channel that is called ${name}`,
    { hint: names === '' ? 'Add one below alerts: in the policy.' : `It has ${names}.` },
  );
}
