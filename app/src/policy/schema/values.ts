import { z } from 'zod';
import { DURATION, FOREVER, parseDuration, repairDuration, SPAN } from '../duration.ts';
import { parseSize, RATE, repairRate, repairSize, SIZE } from '../size.ts';
import { noted } from './notes.ts';

/**
 * The values that a policy is made of. Each `error` ends the sentence "expected …". What is checked here is in the JSON
 * Schema as well, except what no schema can say: that a time zone exists, that a number stays exact.
 */

function matching(pattern: RegExp, error: string) {
  return z.string({ error }).regex(pattern, { error });
}

const DURATION_FORM = 'a duration such as 30s, 5m, 1h 30m or 7d';

export const duration = noted(
  matching(SPAN, DURATION_FORM)
    .refine((text) => parseDuration(text) <= FOREVER, { error: 'at most 1000y' })
    .meta({
      id: 'duration',
      description: 'a number with ms, s, m, h, d (24 h), w (7 d) or y (366 d) behind it; several add up',
      examples: ['30s', '5m', '1h 30m', '7d'],
    }),
  { repair: repairDuration },
);

/** One that may be nothing. */
export const delay = noted(
  matching(DURATION, DURATION_FORM)
    .refine((text) => parseDuration(text) <= FOREVER, { error: 'at most 1000y' })
    .meta({ id: 'delay', description: 'a duration, or 0s', examples: ['0s', '10m'] }),
  { repair: repairDuration },
);

export const size = noted(
  matching(SIZE, 'a size such as 500 MiB or 2 TB')
    .refine((text) => Number.isSafeInteger(parseSize(text)), { error: 'at most 8 PiB' })
    .meta({
      id: 'size',
      description: 'a number with B, KiB … PiB (powers of 1024) or kB … PB (powers of 1000) behind it',
      examples: ['500 MiB', '2 TB'],
    }),
  { repair: repairSize },
);

export const rate = noted(
  matching(RATE, 'a rate such as 20 MiB/s')
    .refine((text) => Number.isSafeInteger(parseSize(text)), { error: 'at most 8 PiB/s' })
    .meta({ id: 'rate', description: 'a size a second', examples: ['20 MiB/s'] }),
  { repair: repairRate },
);

export const zone = z
  .string({ error: 'a time zone such as Europe/Berlin' })
  .refine(isZone, { error: 'a time zone such as Europe/Berlin' })
  .meta({ id: 'zone', description: 'an IANA name', examples: ['Europe/Berlin', 'Asia/Ho_Chi_Minh', 'UTC'] });

/** Offsets are zones for Temporal; here they would hide that a clock is changed twice a year. */
function isZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    Temporal.Now.zonedDateTimeISO(name);
    return true;
  } catch {
    return false;
  }
}

export const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const NAME_FORM = 'a name of small letters, digits and hyphens, 63 at most';

/** What repositories and sources are called. */
export const name = matching(NAME, NAME_FORM);

export const words = (error: string) => matching(/^(?=.*\S)[^\p{Cc}]{1,200}$/u, error);

const PATH_FORM = 'a path that begins with / or ~/';
const PATH = /^(?:\/|~\/|~$)[^\0]*$/;
export const path = matching(PATH, PATH_FORM);

export const positive = z
  .int({ error: 'a whole number from 1 on' })
  .min(1, { error: 'a whole number from 1 on' });

/** A list that may be written without its brackets when it has one entry. */
export function oneOrMore<Item extends z.ZodType>(item: Item, error: string) {
  return z.union([item, z.array(item, { error }).min(1, { error })], { error });
}

/** Keys of which exactly one must be there. */
export function exactlyOne<Shape extends z.ZodObject>(schema: Shape, keys: readonly string[], error: string) {
  return schema
    .refine(
      (value) => keys.filter((key) => (value as Record<string, unknown>)[key] !== undefined).length === 1,
      {
        error,
        when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value),
      },
    )
    .meta({ oneOf: keys.map((key) => ({ required: [key] })) });
}
