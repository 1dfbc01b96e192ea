import { z } from 'zod';
import { DEFAULTS } from '../defaults.ts';
import { checkSchedule, schedule } from './schedule.ts';
import { address, plainText, secret } from './secret.ts';
import { positive, rate, size, words } from './values.ts';

export const rates = {
  upload: rate.optional().meta({ description: 'bytes a second to the storage; no limit by default' }),
  download: rate.optional().meta({ description: 'bytes a second from the storage; no limit by default' }),
  requests: positive
    .optional()
    .meta({ description: 'requests a second; no limit by default', examples: [50] }),
};

export const limits = z
  .strictObject(rates, { error: 'limits such as { upload: 20 MiB/s }' })
  .meta({ id: 'rates', description: 'how much may be moved a second', examples: [{ upload: '20 MiB/s' }] });

const REPOSITORY_URL = 'an address such as /srv/backup, s3:https://host/bucket or sftp:user@host:/srv/backup';
const URL_FORM = /^(?:(?:local:)?(?:\/|~\/)[^\0]*|(?:s3|sftp|rest):\S+)$/;
const OPTION = /^(?:(?:s3|sftp|rest)\.[a-z][a-z-]*|cacert|tls-client-cert)$/;

const options = z
  .record(
    z.string().regex(OPTION, { error: 'an option such as s3.region, sftp.connections or cacert' }),
    z.union([plainText('a text'), z.number(), z.boolean(), secret], {
      error: 'a text, a number, or a reference such as { env: NAME }',
    }),
    { error: 'options such as { s3.region: eu-central-1 }' },
  )
  .meta({
    description:
      'ways to reach it, as `-o name=value` of every command; also `cacert` and `tls-client-cert` (files in PEM), and `rest.username` and `rest.password` for a server that wants a login',
    examples: [{ 's3.region': 'eu-central-1' }],
  });

export const repository = z
  .strictObject(
    {
      url: address(REPOSITORY_URL, URL_FORM).meta({
        description: 'where it is, in restic’s notation; by reference where it holds a login',
        examples: [
          '/srv/backup',
          's3:https://minio.example/backup',
          'sftp:backup@offsite.example:/srv/backup',
        ],
      }),
      password: secret.meta({ description: 'the password that opens it' }),
      options: options.optional(),
      place: words('where it stands, in a few words')
        .optional()
        .meta({
          description:
            'where it stands, in your words: two with the same place do not survive the same fire. By default the name of its host',
          examples: ['Frankfurt', 'the safe'],
        }),
      sameHost: z.enum(['refused', 'accepted'], { error: 'refused or accepted' }).optional().meta({
        description: 'whether it may be on the host or the disk of a source',
        default: DEFAULTS.sameHost,
      }),
      capacity: size
        .optional()
        .meta({ description: 'what the storage holds, where it cannot say so itself' }),
      limits: limits.optional().meta({ description: 'for all that goes there and comes from there' }),
      retention: schedule.optional().meta({
        description: 'when what no rule keeps any more is forgotten, and space is given back',
        default: DEFAULTS.retention,
      }),
      check: checkSchedule.optional().meta({
        description: 'when its structure is checked, and a part of its data read',
        default: DEFAULTS.check,
      }),
    },
    { error: 'a repository: url and password' },
  )
  .meta({ id: 'repository', description: 'an encrypted store in restic’s format' });
