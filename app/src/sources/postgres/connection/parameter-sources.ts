import type { Parameters } from './server-address.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** libpq's environment variables ("Environment Variables") that say where a server is and who we are. */
const VARIABLES: Readonly<Record<string, string>> = {
  PGHOST: 'host',
  PGPORT: 'port',
  PGUSER: 'user',
  PGPASSWORD: 'password',
  PGDATABASE: 'dbname',
  PGSSLMODE: 'sslmode',
  PGSSLROOTCERT: 'sslrootcert',
  PGSSLCERT: 'sslcert',
  PGSSLKEY: 'sslkey',
  PGTARGETSESSIONATTRS: 'target_session_attrs',
  PGCONNECT_TIMEOUT: 'connect_timeout',
};

export function environmentParameters(environment: Environment): Parameters {
  const parameters: Record<string, string> = {};
  for (const [variable, parameter] of Object.entries(VARIABLES)) {
    const value = environment[variable];
    if (value !== undefined && value !== '') parameters[parameter] = value;
  }
  return parameters;
}

/** The section of a connection service file (`[name]`, then `parameter=value` a line); undefined when it has none. */
export function serviceParameters(file: string, name: string): Parameters | undefined {
  let found: Record<string, string> | undefined;
  let inside = false;
  for (const line of file.split('\n').map((text) => text.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const section = /^\[(.*)\]$/.exec(line)?.[1];
    if (section !== undefined) {
      // The first of that name counts, as with libpq.
      inside = section === name && found === undefined;
      if (inside) found = {};
    } else if (inside && found !== undefined) {
      const at = line.indexOf('=');
      if (at > 0) found[line.slice(0, at).trim()] = line.slice(at + 1).trim();
    }
  }
  return found;
}

/** Whose password is looked for. */
export interface PasswordSubject {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/**
 * The first line of a password file that fits: `host:port:database:user:password`, `*` for any, `\:` and `\\` for
 * themselves. A socket's directory is there as `localhost`. The database of a replication connection is `replication`.
 */
export function passwordFrom(file: string, subject: PasswordSubject): string | undefined {
  const host = subject.host.startsWith('/') ? 'localhost' : subject.host;
  const wanted = [[host], [String(subject.port)], [subject.database, 'replication'], [subject.user]];
  for (const line of file.split('\n')) {
    if (line.startsWith('#')) continue;
    const fields = line
      .match(/(?:^|:)((?:\\.|[^:\\])*)/g)
      ?.map((field) => field.replace(/^:/, '').replace(/\\(.)/g, '$1'));
    if (fields === undefined || fields.length < 5) continue;
    const fits = wanted.every((choices, at) => fields[at] === '*' || choices.includes(fields[at] ?? ''));
    if (fits) return fields.slice(4).join(':');
  }
  return undefined;
}
