import { z } from 'zod';
import { DEFAULTS } from '../defaults.ts';
import { alerts } from './alert.ts';
import { noted } from './notes.ts';
import { rates, repository } from './repository.ts';
import { schedule } from './schedule.ts';
import { keep, source } from './source.ts';
import { duration, name, positive, words, zone } from './values.ts';

function named<Value extends z.ZodType>(value: Value, error: string, description: string) {
  return z
    .record(name, value, { error })
    .refine((entries) => Object.keys(entries).length > 0, { error })
    .meta({ description, minProperties: 1 });
}

const SHARE = 'a share such as 5 % or 0.05';

const copy = z
  .strictObject(
    {
      from: name.meta({ description: 'the repository that is copied', examples: ['main'] }),
      to: name.meta({ description: 'the repository that gets it', examples: ['offsite'] }),
      name: words('a name').optional().meta({ description: 'its name in messages; `from → to` by default' }),
      after: schedule.optional().meta({
        description: '`each snapshot`, and for what a journal adds as often as its RPO needs; or a schedule',
        default: DEFAULTS.copyAfter,
        examples: ['each snapshot', '0 6 * * *'],
      }),
      sources: z
        .array(name, { error: 'a list of sources' })
        .min(1, { error: 'a list of sources' })
        .optional()
        .meta({ description: 'sources that are copied; all that `from` holds by default' }),
      keep: keep
        .optional()
        .meta({ description: 'how long they are kept there; as the source says by default' }),
      verify: z
        .strictObject(
          {
            sample: z
              .union(
                [
                  z.number({ error: SHARE }).min(0, { error: SHARE }).max(1, { error: SHARE }),
                  z
                    .string({ error: SHARE })
                    .regex(/^(?:100(?:\.0+)?|\d{1,2}(?:\.\d{1,6})?) ?%$/, { error: SHARE }),
                ],
                { error: SHARE },
              )
              .optional()
              .meta({ description: 'so much is read back after each copy', default: DEFAULTS.verify.sample }),
            everything: duration.optional().meta({
              description: 'all of it is read back once in this time',
              default: DEFAULTS.verify.everything,
            }),
          },
          { error: 'such as { sample: 5 %, everything: 30d }' },
        )
        .optional()
        .meta({ description: 'how much of the copy is read back', default: DEFAULTS.verify }),
    },
    { error: 'a copy such as { from: main, to: offsite }' },
  )
  .meta({
    id: 'copy',
    description: 'snapshots carried to another repository',
    examples: [{ from: 'main', to: 'offsite' }],
  });

const limits = z
  .strictObject(
    {
      runs: positive.optional().meta({ description: 'runs at once, in all', default: DEFAULTS.runs }),
      perSource: positive
        .optional()
        .meta({ description: 'runs at once of one source', default: DEFAULTS.perSource }),
      perRepository: positive
        .optional()
        .meta({ description: 'runs at once on one repository', default: DEFAULTS.perRepository }),
      ...rates,
    },
    { error: 'limits such as { runs: 4, upload: 20 MiB/s }' },
  )
  .meta({ description: 'how much may happen at once, over all sources' });

/** What a policy file may say, as it is written: nothing is resolved yet. */
export const policySchema = noted(
  z.strictObject(
    {
      stack: words('a name')
        .optional()
        .meta({ description: 'a name for all that this file protects', examples: ['secureconnect'] }),
      timezone: zone.optional().meta({ description: 'that schedules are read in; the machine’s by default' }),
      repositories: named(
        repository,
        'repositories such as main: { url: …, password: { file: … } }',
        'where snapshots are kept, by name; the first is where sources go by default',
      ),
      sources: named(source, 'sources such as media: { files: /srv/media }', 'what is protected, by name'),
      copies: z
        .array(copy, { error: 'a list such as [ { from: main, to: offsite } ]' })
        .optional()
        .meta({ description: 'what is carried to other repositories', default: [] }),
      alerts: alerts.optional(),
      limits: limits.optional(),
    },
    { error: 'a policy: repositories and sources' },
  ),
  {
    later: {
      drills: 'carry out drills',
      drill: 'carry out drills',
      agents: 'work with agents',
      checkpoints: 'tie sources to one checkpoint',
      erasure: 'carry out erasures',
    },
  },
);

export type PolicyInput = z.infer<typeof policySchema>;
