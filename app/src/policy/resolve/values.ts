import type { z } from 'zod';
import { DEFAULTS } from '../defaults.ts';
import { FOREVER, parseDuration } from '../duration.ts';
import type { KeepRules, PlainOrSecret, Rates, Schedule, SecretReference } from '../model.ts';
import type { limits } from '../schema/repository.ts';
import type { checkSchedule, schedule } from '../schema/schedule.ts';
import type { secret } from '../schema/secret.ts';
import type { keep } from '../schema/source.ts';
import { parseSize } from '../size.ts';
import { absolutePath, type Surroundings } from './surroundings.ts';

/** From what is written, when it has the right form, to what is meant. */

export type SecretInput = z.infer<typeof secret>;
export type ScheduleInput = z.infer<typeof schedule> | z.infer<typeof checkSchedule>;

export function resolveSecret(input: SecretInput, surroundings: Surroundings): SecretReference {
  if (input.env !== undefined) return { kind: 'env', name: input.env };
  if (input.file !== undefined) return { kind: 'file', path: absolutePath(input.file, surroundings) };
  return { kind: 'command', command: input.command ?? '' };
}

export function resolveText(input: string | SecretInput, surroundings: Surroundings): PlainOrSecret {
  return typeof input === 'string' ? { kind: 'plain', text: input } : resolveSecret(input, surroundings);
}

export function resolveSchedule(input: ScheduleInput, timezone: string): Schedule {
  if (input === 'never') return { when: { kind: 'never' }, jitter: 0, missed: 'once' };
  if (typeof input === 'string') return resolveSchedule({ cron: input }, timezone);
  const { cron, every, jitter, missed = 'once' } = input;
  return {
    when:
      every === undefined
        ? { kind: 'cron', expression: cron ?? '', timezone: input.timezone ?? timezone }
        : { kind: 'every', interval: parseDuration(every) },
    jitter: jitter === undefined ? 0 : parseDuration(jitter),
    missed,
  };
}

export function resolveCheck(
  input: z.infer<typeof checkSchedule>,
  timezone: string,
): Schedule & { readonly everything: number } {
  const everything = typeof input === 'string' ? undefined : input.everything;
  return {
    ...resolveSchedule(input, timezone),
    everything: parseDuration(everything ?? DEFAULTS.check.everything),
  };
}

export function resolveKeep(input: z.infer<typeof keep>): KeepRules {
  if (typeof input === 'string') return { for: spanOf(input) };
  const { for: span, ...counts } = input;
  return defined({ ...(span === undefined ? {} : { for: spanOf(span) }), ...counts });
}

function spanOf(text: string): number {
  return text === 'forever' ? FOREVER : parseDuration(text);
}

export function resolveRates(input: z.infer<typeof limits> = {}): Rates {
  const { upload, download, requests } = input;
  return {
    ...(upload === undefined ? {} : { upload: parseSize(upload) }),
    ...(download === undefined ? {} : { download: parseSize(download) }),
    ...(requests === undefined ? {} : { requests }),
  };
}

/** Without the keys that nothing stands behind. */
export function defined<Value extends object>(
  value: Value,
): { [Key in keyof Value]: Exclude<Value[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as {
    [Key in keyof Value]: Exclude<Value[Key], undefined>;
  };
}

export function listOf(input: string | readonly string[] | undefined): readonly string[] {
  return input === undefined ? [] : typeof input === 'string' ? [input] : input;
}
