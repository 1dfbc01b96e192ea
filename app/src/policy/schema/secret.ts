import { z } from 'zod';
import { noted } from './notes.ts';
import { exactlyOne, path } from './values.ts';

const REFERENCE = z.strictObject(
  {
    env: noted(
      z
        .string({ error: 'the name of an environment variable' })
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'the name of an environment variable' }),
      { secret: true },
    )
      .optional()
      .meta({
        description: 'an environment variable of the process that does the work',
        examples: ['METADATA_URL'],
      }),
    file: path.optional().meta({
      description: 'a file that only its owner may read; a last newline is cut off',
      examples: ['/run/secrets/main'],
    }),
    command: z
      .string({ error: 'a command line' })
      .regex(/\S/, { error: 'a command line' })
      .optional()
      .meta({
        description: 'a command line for sh that prints it, in 30 s at most; a last newline is cut off',
        examples: ['pass show backup/main'],
      }),
  },
  { error: 'a reference such as { file: /run/secrets/main }' },
);

/** Where a secret is found: the secret itself never stands in a policy. */
export const secret = noted(
  exactlyOne(REFERENCE, ['env', 'file', 'command'], 'exactly one of env, file and command').meta({
    id: 'secret',
    description: 'where a secret is found: exactly one of `env`, `file` and `command`',
    oneOf: [{ required: ['env'] }, { required: ['file'] }, { required: ['command'] }],
    examples: [{ file: '/run/secrets/main' }],
  }),
  {
    secret: true,
    later: {
      vault: 'read secrets from a vault',
      op: 'read secrets from 1Password',
      bitwarden: 'read secrets from Bitwarden',
    },
  },
);

/** Sentences that `complaints` has more to say about. */
export const LOGIN_IN_ADDRESS = 'an address without a password in it';
export const INTERPOLATION = 'a text without $' + '{…}, which has no meaning here';

// No flags in any of these: a JSON Schema has none.
const WITHOUT_LOGIN = /^(?![^/]*:\/\/[^/?#]*:[^/?#]*@)(?![\s\S]*[?&](?:password|token|secret)=)/;
const WITHOUT_INTERPOLATION = /^(?![\s\S]*\$\{)/;

/** A text that is no secret and holds none. */
export function plainText(error: string) {
  return z.string({ error }).regex(WITHOUT_INTERPOLATION, { error: INTERPOLATION });
}

/** An address that is written out. */
export function plainAddress(error: string, pattern: RegExp) {
  return plainText(error).regex(WITHOUT_LOGIN, { error: LOGIN_IN_ADDRESS }).regex(pattern, { error });
}

/** An address that may be written out when it holds no password, and is referred to otherwise. */
export function address(error: string, pattern: RegExp) {
  return noted(
    z.union([plainAddress(error, pattern), secret], {
      error: `${error}, or a reference to it such as { env: NAME }`,
    }),
    { secret: true },
  );
}
