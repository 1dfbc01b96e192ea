import type { PasswordCheck } from './password-check.ts';
import { Refusal } from './refusal.ts';

/** The user that a request comes from. Rejects with a `Refusal` for whoever cannot prove it. */
export async function logIn(authorization: string | undefined, check: PasswordCheck): Promise<string> {
  const login = parseBasic(authorization);
  if (login !== undefined && (await check(login.user, login.password))) return login.user;
  throw new Refusal(UNAUTHORIZED, 'Log in with a user and a password.', {
    'WWW-Authenticate': 'Basic realm="holdfast", charset="UTF-8"',
  });
}

/** The name that a request claims, for the log: what was typed as a password is never part of it. */
export function claimedUser(authorization: string | undefined): string | undefined {
  return parseBasic(authorization)?.user;
}

function parseBasic(authorization: string | undefined): { user: string; password: string } | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization ?? '')?.[1];
  const pair = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString();
  const colon = pair.indexOf(':');
  return colon < 1 ? undefined : { user: pair.slice(0, colon), password: pair.slice(colon + 1) };
}

const UNAUTHORIZED = 401;
