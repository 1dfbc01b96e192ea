import { chooseCacheDirectory } from '../cli/cache-directory.ts';
import type { RepositoryAccess } from '../cli/repository-options.ts';
import { resolveSettings } from '../cli/storage-options.ts';
import type { RepositoryPolicy } from '../policy/model.ts';
import { resolveSecret, resolveText, type SecretSurroundings } from './resolve-secret.ts';

export interface AccessSurroundings extends SecretSurroundings {
  readonly homeDirectory: string;
  /** How long to wait for a lock, in milliseconds. */
  readonly retryLock?: number;
}

/** A prune holds its lock for seconds, a stock restic that prunes for as long as it takes. */
const RETRY_LOCK = 10 * 60_000;

/** All that is needed to open a repository of a policy. Reads its secrets; opens nothing. */
export async function accessOf(
  repository: Pick<RepositoryPolicy, 'url' | 'options' | 'password'>,
  surroundings: AccessSurroundings,
): Promise<RepositoryAccess> {
  return {
    ...(await placeOf(repository, surroundings)),
    password: await resolveSecret(repository.password, surroundings),
    cacheDirectory: chooseCacheDirectory({}, surroundings.environment, surroundings.homeDirectory),
    lock: true,
    retryLock: surroundings.retryLock ?? RETRY_LOCK,
  };
}

/** Where it is and how it is reached, without what opens it. */
export async function placeOf(
  { url, options }: Pick<RepositoryPolicy, 'url' | 'options'>,
  surroundings: AccessSurroundings,
): Promise<Required<Pick<RepositoryAccess, 'location' | 'settings'>>> {
  const location = (await resolveText(url, surroundings)).reveal();
  const given = new Map<string, string>();
  for (const { name, value } of options) given.set(name, (await resolveText(value, surroundings)).reveal());
  const [cacert, tlsClientCert] = [given.get('cacert'), given.get('tls-client-cert')];
  const [username, password] = [given.get('rest.username'), given.get('rest.password')];
  const extended = [...given].filter(([name]) => !OWN_OPTIONS.has(name));
  const settings = await resolveSettings(
    {
      option: extended.map(([name, value]) => `${name}=${value}`),
      ...(cacert === undefined ? {} : { cacert }),
      ...(tlsClientCert === undefined ? {} : { tlsClientCert }),
    },
    surroundings.environment,
  );
  if (username === undefined && password === undefined) return { location, settings };
  return {
    location,
    settings: { ...settings, restLogin: { username: username ?? '', password: password ?? '' } },
  };
}

/** What is no `-o` of any kind of storage: options of commands, and what they take from the environment. */
const OWN_OPTIONS: ReadonlySet<string> = new Set([
  'cacert',
  'tls-client-cert',
  'rest.username',
  'rest.password',
]);
