import { z } from 'zod';
import { delay, duration, exactlyOne, zone } from './values.ts';

const CRON_FORM = 'a cron expression such as "0 2 * * *"';
const FORM = `${CRON_FORM}, { every: 15m }, or never`;

const cron = z
  .string({ error: FORM })
  .regex(/^[^\p{Cc}]{1,200}$/u, { error: FORM })
  .meta({
    description: 'a cron expression: minute, hour, day, month, day of the week',
    examples: ['0 2 * * *', '@hourly'],
  });

const timing = {
  cron: cron.optional().meta({ description: 'a cron expression', examples: ['0 2 * * *'] }),
  every: duration.optional().meta({
    description: 'an interval instead, counted from 1 January 1970 UTC so that it does not wander',
    examples: ['15m'],
  }),
  timezone: zone
    .optional()
    .meta({ description: 'that the expression is read in; the policy’s own by default' }),
  jitter: delay.optional().meta({
    description: 'begin up to so much later, the same each time, so that not all begin at once',
    default: '0s',
  }),
  missed: z.enum(['once', 'skip'], { error: 'once or skip' }).optional().meta({
    description: 'what was missed is done once as soon as possible, or not at all',
    default: 'once',
  }),
};

const KEYS = ['cron', 'every'];
const ONE_OF = 'exactly one of cron and every';

const timed = exactlyOne(z.strictObject(timing, { error: FORM }), KEYS, ONE_OF);

/** When something happens by itself. */
export const schedule = z.union([cron, timed], { error: FORM }).meta({
  id: 'schedule',
  description:
    'a cron expression, `never`, or a mapping. 02:00 on a day without one comes when the clock is put forward, on a day with two at the first',
  examples: ['0 2 * * *', { every: '15m' }, { cron: '0 2 * * *', jitter: '10m' }],
});

export const checkSchedule = z
  .union(
    [
      cron,
      exactlyOne(
        z.strictObject(
          {
            ...timing,
            everything: duration.optional().meta({
              description: 'read so much of the data each time that all of it was read once in this time',
              default: '30d',
            }),
          },
          { error: FORM },
        ),
        KEYS,
        ONE_OF,
      ),
    ],
    { error: FORM },
  )
  .meta({ id: 'check', description: 'a schedule, with `everything` besides' });
