import { z } from 'zod';
import { DEFAULTS } from '../defaults.ts';
import { address, secret } from './secret.ts';
import { duration, exactlyOne, name, oneOrMore, words } from './values.ts';

const EMAIL = 'an e-mail address';
const email = z.string({ error: EMAIL }).regex(/^[^\s@<>,]+@[^\s@<>,]+$/, { error: EMAIL });
const HTTP = /^https?:\/\/\S+$/;
const HTTP_FORM = 'an address that begins with https://';

const entry = exactlyOne(
  z.strictObject(
    {
      slack: secret.optional().meta({
        description: 'an incoming webhook of Slack, by reference: whoever knows it can post',
        examples: [{ env: 'SLACK_WEBHOOK' }],
      }),
      email: oneOrMore(email, 'an e-mail address, or a list of them')
        .optional()
        .meta({ description: 'who is written to', examples: ['ops@example.com'] }),
      webhook: address(HTTP_FORM, HTTP)
        .optional()
        .meta({ description: 'an address that takes our JSON', examples: ['https://example.com/alerts'] }),
      ping: address(HTTP_FORM, HTTP)
        .optional()
        .meta({
          description:
            'a dead man’s switch: asked for as long as we live, so that somebody misses us when we do not',
          examples: [{ env: 'PING_URL' }],
        }),
      server: address('an address such as smtp://mail.example:587', /^smtps?:\/\/\S+$/)
        .optional()
        .meta({
          description: 'of e-mail: by reference where it holds a login',
          default: DEFAULTS.mailServer,
        }),
      from: email.optional().meta({
        description: 'of e-mail: the sender; `holdfast@` and the domain of the first receiver by default',
      }),
      secret: secret.optional().meta({ description: 'of a webhook: signs what is sent' }),
      every: duration.optional().meta({ description: 'of a ping', default: DEFAULTS.ping }),
      name: words('a name')
        .optional()
        .meta({ description: 'its name in messages about itself; its kind by default' }),
      severity: z
        .enum(['critical', 'warning', 'info'], { error: 'critical, warning or info' })
        .optional()
        .meta({
          description: 'what is told there, and all that is worse',
          default: DEFAULTS.severity,
        }),
      about: oneOrMore(name, 'a name, or a list of them')
        .optional()
        .meta({ description: 'sources and repositories that are told of; all by default' }),
    },
    { error: 'a way to tell somebody, such as { email: ops@example.com }' },
  ),
  ['slack', 'email', 'webhook', 'ping'],
  'exactly one of slack, email, webhook and ping',
).meta({
  id: 'alert',
  description: 'a way to tell somebody',
  oneOf: ['slack', 'email', 'webhook', 'ping'].map((key) => ({ required: [key] })),
});

const list = z.array(entry, { error: 'a list such as [ { email: ops@example.com } ]' });

export const alerts = z
  .union(
    [
      list,
      z.strictObject(
        {
          to: list.meta({ description: 'ways to tell somebody' }),
          group: duration
            .optional()
            .meta({ description: 'what comes within so long is one message', default: DEFAULTS.group }),
          repeat: duration.optional().meta({
            description: 'what is still wrong is said again after so long',
            default: DEFAULTS.repeat,
          }),
        },
        { error: 'a list such as [ { email: ops@example.com } ], or { to: …, group: …, repeat: … }' },
      ),
    ],
    { error: 'a list such as [ { email: ops@example.com } ], or { to: …, group: …, repeat: … }' },
  )
  .meta({ description: 'who is told when something is wrong, or did not happen', default: [] });

/** What an entry may have besides what all of them have. */
export const ONLY_OF: Readonly<Record<string, string>> = {
  server: 'email',
  from: 'email',
  secret: 'webhook',
  every: 'ping',
};
