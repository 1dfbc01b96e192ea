import { userInfo } from 'node:os';
import { Failure } from '@holdfast/engine';

export type TlsMode = 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';

export interface HostAddress {
  /** A host name, an IP address, or the directory of a unix socket (begins with a slash). */
  readonly name: string;
  readonly port: number;
}

/** Where a server is and who we are there: all that a login needs, with nothing left to look up. */
export interface ServerAddress {
  /** Tried in this order. */
  readonly hosts: readonly HostAddress[];
  readonly user: string;
  readonly password?: string;
  readonly database: string;
  readonly tls: TlsSettings;
  readonly targetSession: 'any' | 'primary' | 'standby';
  readonly applicationName: string;
  readonly connectSeconds: number;
}

export interface TlsSettings {
  readonly mode: TlsMode;
  /** Files in PEM. */
  readonly rootCertificate?: string;
  readonly certificate?: string;
  readonly key?: string;
}

/** libpq's names of the parameters that we know (its manual, "Parameter Key Words"), each as a text. */
export type Parameters = Readonly<Record<string, string>>;

const TLS_MODES: readonly string[] = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'];
const TARGETS: Readonly<Record<string, ServerAddress['targetSession']>> = {
  'any': 'any',
  'primary': 'primary',
  'read-write': 'primary',
  'standby': 'standby',
  'read-only': 'standby',
};

/** Reads `postgres://user:password@host-1:5432,host-2/database?sslmode=verify-full`, with libpq's parameters. */
export function parseServerUrl(url: string): Parameters {
  const shape = /^postgres(?:ql)?:\/\/(?:([^@/?]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/.exec(url);
  if (shape === null) {
    throw new Failure('usage', 'the address of the server is no postgres:// URL', {
      hint: 'It looks like postgres://user@host:5432/database; the password may come from PGPASSWORD or ~/.pgpass.',
    });
  }
  const [, login = '', hosts = '', database = '', query = ''] = shape;
  const [user = '', ...password] = login.split(':');
  const parts = hosts.split(',').map(splitHost);
  const parameters: Record<string, string> = {
    host: parts.map(({ name }) => name).join(','),
    port: parts.map(({ port }) => port).join(','),
    user: decoded(user),
    password: decoded(password.join(':')),
    dbname: decoded(database),
  };
  for (const [name, value] of new URLSearchParams(query)) parameters[name] = value;
  return Object.fromEntries(
    Object.entries(parameters).filter(([, value]) => value.replaceAll(',', '') !== ''),
  );
}

/** Fills in what libpq would, and refuses what it would refuse. The first of several sources that names it wins. */
export function serverAddress(...sources: readonly Parameters[]): ServerAddress {
  const value = (name: string) => sources.find((source) => source[name] !== undefined)?.[name];
  const user = value('user') ?? userInfo().username;
  const password = value('password');
  return {
    hosts: pairHosts(value('host') ?? '/var/run/postgresql', value('port') ?? '5432'),
    user,
    ...(password === undefined ? {} : { password }),
    database: value('dbname') ?? user,
    tls: tlsSettings(value),
    targetSession: chosen('target_session_attrs', value('target_session_attrs') ?? 'any', TARGETS),
    applicationName: value('application_name') ?? 'holdfast',
    connectSeconds: positive('connect_timeout', value('connect_timeout') ?? '10'),
  };
}

/** How messages name a server: never with its password. */
export function serverName(address: ServerAddress, only?: HostAddress): string {
  const hosts = only === undefined ? address.hosts : [only];
  const names = hosts.map(({ name, port }) => `${name.includes(':') ? `[${name}]` : name}:${port}`);
  return `postgres://${address.user}@${names.join(',')}/${address.database}`;
}

function splitHost(text: string): { name: string; port: string } {
  const [, bracketed, plain, port = ''] = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d*))?$/.exec(text) ?? [];
  const name = bracketed ?? plain;
  if (name === undefined) throw new Failure('usage', `"${text}" is no host of a postgres:// URL`);
  return { name: decoded(name), port };
}

function pairHosts(hosts: string, ports: string): HostAddress[] {
  const names = hosts.split(',');
  const numbers = ports.split(',');
  if (numbers.length !== 1 && numbers.length !== names.length) {
    throw new Failure(
      'usage',
      `${names.length} hosts cannot have ${numbers.length} ports: name one, or one for each`,
    );
  }
  return names.map((name, at) => {
    const port = Number((numbers.length === 1 ? numbers[0] : numbers[at]) || '5432');
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw new Failure('usage', `${port} is no port`);
    return { name: name === '' ? 'localhost' : name, port };
  });
}

function tlsSettings(value: (name: string) => string | undefined): TlsSettings {
  const mode = value('sslmode') ?? 'prefer';
  if (!TLS_MODES.includes(mode)) {
    throw new Failure('usage', `sslmode goes from ${TLS_MODES.join(', ')}, not ${mode}`);
  }
  const [rootCertificate, certificate, key] = ['sslrootcert', 'sslcert', 'sslkey'].map(value);
  return {
    mode: mode as TlsMode,
    // `system` is libpq's word for the authorities that the machine believes: Node's own when none is named.
    ...(rootCertificate === undefined || rootCertificate === 'system' ? {} : { rootCertificate }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
  };
}

function chosen<Value>(name: string, word: string, table: Readonly<Record<string, Value>>): Value {
  const found = table[word];
  if (found !== undefined) return found;
  throw new Failure('usage', `${name} may be ${Object.keys(table).join(', ')}, not ${word}`);
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Failure('usage', `${name} is a number above 0, not ${text}`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Failure('usage', 'the address of the server has a "%" that is no escaped character', {
      hint: 'Write a "%" in a password as %25.',
    });
  }
}
