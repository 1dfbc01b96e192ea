import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Failure } from '@holdfast/engine';
import { z } from 'zod';
import { baseConfig } from './base/base-config.ts';
import { environmentParameters, passwordFrom, serviceParameters } from './connection/parameter-sources.ts';
import {
  type Parameters,
  parseServerUrl,
  type ServerAddress,
  serverAddress,
} from './connection/server-address.ts';
import { evidenceConfig } from './evidence/evidence-config.ts';
import { journalConfig } from './journal/journal-config.ts';

/** A text that may be secret: itself, or where it is. */
const secret = z.union([
  z.string(),
  z.strictObject({ env: z.string() }),
  z.strictObject({ file: z.string() }),
]);

type Secret = z.infer<typeof secret>;

/** How a PostgreSQL source is written down. Whatever is left out is looked for where libpq would look. */
export const postgresConfig = z.strictObject({
  url: secret.optional().describe('postgres://user@host-1:5432,host-2/database?sslmode=verify-full'),
  service: z.string().optional().describe('A section of the connection service file.'),
  host: z
    .union([z.string(), z.array(z.string()).min(1)])
    .optional()
    .describe('A name, an address or a socket’s directory; several are tried in order.'),
  port: z.int().min(1).max(65_535).optional().describe('5432 unless named.'),
  user: z.string().optional().describe('A role with LOGIN and REPLICATION.'),
  password: secret.optional().describe('Better in the password file, or from the environment.'),
  database: z
    .string()
    .optional()
    .describe('Where to log in for what needs SQL; backups are of all databases.'),
  tls: z
    .strictObject({
      mode: z
        .enum(['disable', 'prefer', 'require', 'verify-ca', 'verify-full'])
        .optional()
        .describe('libpq’s sslmode: only the verify modes keep an impostor out.'),
      rootCertificate: z.string().optional().describe('A file with the authorities that are believed, PEM.'),
      certificate: z.string().optional().describe('A file with our certificate, PEM.'),
      key: z.string().optional().describe('A file with its key, PEM.'),
    })
    .optional(),
  base: baseConfig.optional().describe('How base backups are taken.'),
  evidence: evidenceConfig.optional().describe('What is counted, and for how long it may take.'),
  journal: journalConfig.optional().describe('That there is a journal, and how.'),
});

export type PostgresConfig = z.infer<typeof postgresConfig>;

export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string;
}

/** The address that a config means: its parts first, then its URL, its service, the environment, the password file. */
export async function resolveServer(config: PostgresConfig, around: Surroundings): Promise<ServerAddress> {
  const url = await reveal(config.url, around);
  const named = url === undefined ? {} : parseServerUrl(url);
  const fromEnvironment = environmentParameters(around.environment);
  const service = config.service ?? named['service'] ?? around.environment['PGSERVICE'];
  const address = serverAddress(
    await partsOf(config, around),
    named,
    service === undefined ? {} : await readService(service, around),
    fromEnvironment,
  );
  if (address.password !== undefined) return address;
  const password = await passwordOf(address, around);
  return password === undefined ? address : { ...address, password };
}

async function partsOf(config: PostgresConfig, around: Surroundings): Promise<Parameters> {
  const { host, port, user, database, tls = {} } = config;
  const given = {
    host: Array.isArray(host) ? host.join(',') : host,
    port: port === undefined ? undefined : String(port),
    user,
    dbname: database,
    password: await reveal(config.password, around),
    sslmode: tls.mode,
    sslrootcert: tls.rootCertificate,
    sslcert: tls.certificate,
    sslkey: tls.key,
  };
  const parameters: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) if (value !== undefined) parameters[name] = value;
  return parameters;
}

async function reveal(value: Secret | undefined, { environment }: Surroundings): Promise<string | undefined> {
  if (value === undefined || typeof value === 'string') return value;
  if ('file' in value) return (await readNamed(value.file)).trimEnd();
  const found = environment[value.env];
  if (found !== undefined) return found;
  throw new Failure('usage', `the environment variable ${value.env} is not set`, { subject: value.env });
}

async function readService(name: string, { environment, homeDirectory }: Surroundings): Promise<Parameters> {
  const file = environment['PGSERVICEFILE'] ?? path.join(homeDirectory, '.pg_service.conf');
  const found = serviceParameters(await readNamed(file), name);
  if (found !== undefined) return found;
  throw new Failure('usage', `there is no service "${name}" in ${file}`, { subject: file });
}

async function passwordOf(address: ServerAddress, around: Surroundings): Promise<string | undefined> {
  const file = around.environment['PGPASSFILE'] ?? path.join(around.homeDirectory, '.pgpass');
  const [first] = address.hosts;
  if (first === undefined) return undefined;
  // That there is none is usual: then the server asks for none, or says that it wants one.
  const text = await readFile(file, 'utf8').catch(() => '');
  return passwordFrom(text, { ...first, host: first.name, database: address.database, user: address.user });
}

async function readNamed(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new Failure('usage', `${file} cannot be read`, { subject: file, cause });
  }
}
