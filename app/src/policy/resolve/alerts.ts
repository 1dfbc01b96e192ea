import { DEFAULTS } from '../defaults.ts';
import { parseDuration } from '../duration.ts';
import type { AlertChannel, AlertPolicy } from '../model.ts';
import type { PolicyInput } from '../schema/policy.ts';
import type { Surroundings } from './surroundings.ts';
import { listOf, resolveSecret, resolveText } from './values.ts';

type AlertsInput = Exclude<PolicyInput['alerts'], undefined>;
type Entry = Extract<AlertsInput, readonly unknown[]>[number];

export function resolveAlerts(input: AlertsInput = [], surroundings: Surroundings): AlertPolicy {
  const { to, group, repeat } = Array.isArray(input)
    ? { to: input, group: undefined, repeat: undefined }
    : { group: undefined, repeat: undefined, ...input };
  const names = nameGiver(to);
  const ping = to.find((entry) => entry.ping !== undefined);
  return {
    channels: to.flatMap((entry) => resolveChannel(entry, names, surroundings)),
    group: parseDuration(group ?? DEFAULTS.group),
    repeat: parseDuration(repeat ?? DEFAULTS.repeat),
    ...(ping?.ping === undefined
      ? {}
      : {
          ping: {
            url: resolveText(ping.ping, surroundings),
            interval: parseDuration(ping.every ?? DEFAULTS.ping),
          },
        }),
  };
}

function resolveChannel(
  entry: Entry,
  nameOf: (kind: string) => string,
  surroundings: Surroundings,
): AlertChannel[] {
  const { slack, email, webhook, secret } = entry;
  const common = (kind: AlertChannel['kind']) => ({
    name: entry.name ?? nameOf(kind),
    severity: entry.severity ?? DEFAULTS.severity,
    about: listOf(entry.about),
  });
  if (slack !== undefined) {
    return [{ ...common('slack'), kind: 'slack', url: resolveSecret(slack, surroundings) }];
  }
  if (email !== undefined) {
    const to = listOf(email);
    return [
      {
        ...common('email'),
        kind: 'email',
        to,
        from: entry.from ?? `holdfast@${to[0]?.split('@').at(-1)}`,
        server: resolveText(entry.server ?? DEFAULTS.mailServer, surroundings),
      },
    ];
  }
  if (webhook === undefined) return [];
  return [
    {
      ...common('webhook'),
      kind: 'webhook',
      url: resolveText(webhook, surroundings),
      ...(secret === undefined ? {} : { secret: resolveSecret(secret, surroundings) }),
    },
  ];
}

/** The kind, with a number behind it from the second on; never a name that was given. */
function nameGiver(entries: readonly Entry[]): (kind: string) => string {
  const taken = new Set(entries.map(({ name }) => name));
  return (kind) => {
    for (let number = 1; ; number++) {
      const name = number === 1 ? kind : `${kind}-${number}`;
      if (taken.has(name)) continue;
      taken.add(name);
      return name;
    }
  };
}
