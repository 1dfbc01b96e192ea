import { stat } from 'node:fs/promises';
import { isFailure } from '@holdfast/engine';
import type { PlainOrSecret, Policy } from '../../policy/model.ts';
import type { SecretFact } from '../../policy/promises/facts.ts';
import { referenceName, resolveSecret, type SecretSurroundings } from '../../secrets/resolve-secret.ts';

/** Tries each reference to a variable or a file. A command is left alone: it may ask somebody, or be counted. */
export async function secretFacts(policy: Policy, surroundings: SecretSurroundings): Promise<SecretFact[]> {
  const facts: SecretFact[] = [];
  for (const [subject, reference] of referencesOf(policy)) {
    if (reference.kind === 'plain' || reference.kind === 'command') continue;
    try {
      await resolveSecret(reference, surroundings);
    } catch (error) {
      if (!isFailure(error, 'secret.unavailable')) throw error;
      const why = error.message.replace(/^.*?: /, '');
      facts.push({
        subject,
        kind: 'unreadable',
        message: `The ${referenceName(reference)} cannot be read: ${why}.`,
      });
      continue;
    }
    if (reference.kind === 'file' && (await isExposed(reference.path))) {
      facts.push({
        subject,
        kind: 'exposed',
        message: `The ${referenceName(reference)} can be read by every user of this machine.`,
      });
    }
  }
  return facts;
}

const OTHERS_READ = 0o004;

async function isExposed(path: string): Promise<boolean> {
  return ((await stat(path)).mode & OTHERS_READ) !== 0;
}

function* referencesOf(policy: Policy): Generator<readonly [subject: string, value: PlainOrSecret]> {
  for (const { name, url, password, options } of policy.repositories) {
    for (const value of [url, password, ...options.map((option) => option.value)]) {
      yield [`repository ${name}`, value];
    }
  }
  for (const { name, system } of policy.sources) {
    if (system.kind !== 'postgres') continue;
    yield [`source ${name}`, system.url];
    if (system.password !== undefined) yield [`source ${name}`, system.password];
  }
  const { channels, ping } = policy.alerts;
  for (const channel of channels) {
    yield [`alert ${channel.name}`, channel.kind === 'email' ? channel.server : channel.url];
    if (channel.kind === 'webhook' && channel.secret !== undefined)
      yield [`alert ${channel.name}`, channel.secret];
  }
  if (ping !== undefined) yield ['ping', ping.url];
}
