import { Failure } from '@holdfast/engine';
import type { PostgresSystem } from '../policy/model.ts';
import type { Hands } from './hands.ts';

/** The server's address with its password, from where the policy refers to; it goes nowhere but into the login. */
export async function serverUrl(
  { url: reference, password: separate }: PostgresSystem,
  { textOf }: Pick<Hands, 'textOf'>,
  signal: AbortSignal,
): Promise<string> {
  const text = await textOf(reference, signal);
  if (separate === undefined) return text;
  const url = URL.parse(text);
  if (url === null) {
    throw new Failure('usage', 'the address of the PostgreSQL server is none', {
      hint: 'It looks like postgres://user@host:5432/database.',
    });
  }
  url.password = encodeURIComponent(await textOf(separate, signal));
  return url.href;
}
