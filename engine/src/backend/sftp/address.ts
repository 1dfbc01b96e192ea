import { posix } from 'node:path';
import { Failure } from '../../kernel/failure.ts';

/** A repository on a machine that is reached with ssh. */
export interface SftpPlace {
  readonly user?: string;
  /** A name, an alias in ~/.ssh/config, or an address (IPv6 without brackets). */
  readonly host: string;
  readonly port?: number;
  /** Absolute, or relative to where the login leads to: mostly the user's home. Without a slash at its end. */
  readonly path: string;
}

/**
 * Reads what follows `sftp:` in restic's notation: `[user@]host:path`, where a path is absolute when it begins with a
 * slash; or `//[user@]host[:port]/path`, where it is when it begins with another one. Throws `usage`.
 */
export function parseSftpAddress(rest: string): SftpPlace {
  const parts = (rest.startsWith('//') ? URL_FORM : SCP_FORM).exec(rest)?.groups;
  if (parts === undefined) throw malformed();
  const [user, host, port] = [decoded(parts['user'], rest), parts['host'] ?? '', parts['port']];
  // ssh would take such a host for an option, and options can run programs.
  if (host.startsWith('-') || CONTROL.test(rest) || (user ?? '').startsWith('-')) throw malformed();
  const path = withoutSlash(posix.normalize(decoded(parts['path'], rest) ?? ''));
  if (path.startsWith('~')) {
    throw new Failure('usage', 'A path on an SFTP server cannot begin with ~.', {
      hint: 'A relative path begins in the home of the user: sftp:USER@HOST:backup.',
    });
  }
  if (port !== undefined && !(Number(port) >= 1 && Number(port) <= 65_535)) throw malformed();
  return {
    host: host.replace(/^\[(.*)\]$/, '$1'),
    path,
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port: Number(port) }),
  };
}

/** restic's notation, for people and for copying. */
export function formatSftpAddress({ user, host, port, path }: SftpPlace): string {
  const server = host.includes(':') ? `[${host}]` : host;
  if (port === undefined) return `sftp:${user === undefined ? '' : `${user}@`}${server}:${path}`;
  const login = user === undefined ? '' : `${encodeURIComponent(user)}@`;
  return `sftp://${login}${server}:${port}/${path.replaceAll('%', '%25')}`;
}

/** As scp writes it. A host with colons in it stands in brackets. */
const SCP_FORM = /^(?:(?<user>[^:/]+)@)?(?<host>\[[^\]/]+\]|[^@:/[\]]+):(?<path>.*)$/s;
const URL_FORM =
  /^\/\/(?:(?<user>[^:/@]+)@)?(?<host>\[[^\]/]+\]|[^@:/[\]]+)(?::(?<port>\d+))?\/(?<path>.*)$/s;
const CONTROL = /\p{Cc}/u;

/** Only a URL has %-escapes. */
function decoded(part: string | undefined, rest: string): string | undefined {
  if (part === undefined || !rest.startsWith('//')) return part;
  try {
    return decodeURIComponent(part);
  } catch {
    throw malformed();
  }
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

function malformed(): Failure {
  return new Failure('usage', 'The address of the repository does not name a server and a directory.', {
    hint: 'It has the form sftp:USER@HOST:/srv/backup, or with a port sftp://USER@HOST:2222//srv/backup.',
  });
}
