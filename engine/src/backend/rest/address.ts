import { Failure } from '../../kernel/failure.ts';
import type { Login } from '../settings.ts';

/** A repository on a REST server. */
export interface RestPlace {
  /** Scheme, host and port; `http://localhost` for a socket. */
  readonly origin: string;
  /** A UNIX socket instead of a port. */
  readonly socket?: string;
  /** Begins and ends with a slash; encoded. */
  readonly path: string;
  /** That was in the address. */
  readonly login?: Login;
}

/**
 * Reads what follows `rest:` in restic's notation: `https://user:password@host:8000/path/`, `http://…`, or
 * `http+unix:///path/to/socket:/path/`. Throws `usage`, without what may be a password.
 */
export function parseRestAddress(rest: string): RestPlace {
  const url = URL.canParse(rest) ? new URL(rest) : undefined;
  if (url === undefined || url.search !== '' || url.hash !== '') throw notUnderstood();
  if (url.protocol === 'http+unix:') return socketPlace(url);
  if (!['http:', 'https:'].includes(url.protocol)) throw notUnderstood();
  return { origin: url.origin, path: withSlash(url.pathname), ...loginIn(url) };
}

/** restic's notation, without a login: for people and for messages. */
export function formatRestAddress({ origin, socket, path }: RestPlace): string {
  return socket === undefined ? `rest:${origin}${path}` : `rest:http+unix://${socket}:${path}`;
}

function socketPlace(url: URL): RestPlace {
  const [, socket = '', path = '/'] = /^(\/.+?)(?::(\/.*))?$/.exec(url.pathname) ?? [];
  if (socket === '' || url.host !== '') throw notUnderstood();
  return { origin: 'http://localhost', socket: decoded(socket), path: withSlash(path) };
}

function loginIn({ username, password }: URL): { login?: Login } {
  if (username === '' && password === '') return {};
  return { login: { username: decoded(username), password: decoded(password) } };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw notUnderstood();
  }
}

function withSlash(path: string): string {
  return path.endsWith('/') ? path : `${path}/`;
}

function notUnderstood(): Failure {
  return new Failure('usage', 'The address of the repository is no address of a REST server.', {
    hint: 'It has the form rest:https://host:8000/folder/, or rest:http+unix:///run/holdfast.sock:/folder/.',
  });
}
