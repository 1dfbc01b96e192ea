import { type BackendSettings, Failure } from '@holdfast/engine';
import type { Command } from 'commander';
import { collect } from './option-values.ts';
import type { Environment } from './terminal.ts';
import { readFileBytes } from './text-file.ts';

/** How to reach a repository that is elsewhere. */
export interface StorageFlags {
  /** `-o`, as typed. */
  readonly option?: readonly string[];
  readonly cacert?: string;
  readonly tlsClientCert?: string;
}

export function addStorageOptions(command: Command): Command {
  return command
    .option('-o, --option <name=value>', 'of a kind of storage, such as s3.region (several times)', collect)
    .option('--cacert <file>', 'trust the authorities in this PEM too (HOLDFAST_CACERT)')
    .option('--tls-client-cert <file>', 'our own certificate and key in PEM (HOLDFAST_TLS_CLIENT_CERT)');
}

/** Reads the files that are named; options come before HOLDFAST_… variables, those before RESTIC_… variables. */
export async function resolveSettings(
  flags: StorageFlags,
  environment: Environment,
): Promise<BackendSettings> {
  const authority = first(flags.cacert, environment['HOLDFAST_CACERT'], environment['RESTIC_CACERT']);
  const certificate = first(
    flags.tlsClientCert,
    environment['HOLDFAST_TLS_CLIENT_CERT'],
    environment['RESTIC_TLS_CLIENT_CERT'],
  );
  return {
    extended: new Map((flags.option ?? []).map(pairOf)),
    environment: Object.fromEntries(VARIABLES.map((name) => [name, environment[name]])),
    ...restLogin(environment),
    ...(authority === undefined
      ? {}
      : { authority: await readFileBytes(authority, 'authority’s certificate') }),
    ...(certificate === undefined
      ? {}
      : { clientCertificate: await readFileBytes(certificate, 'certificate') }),
  };
}

/** What every kind of storage may know of the environment: nothing in it is a secret. Keys the SDK of a kind finds by itself. */
const VARIABLES = ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE'];

/** User and password of a REST server; one without the other is left for the server to refuse. */
function restLogin(environment: Environment): Pick<BackendSettings, 'restLogin'> {
  const [username, password] = ['USERNAME', 'PASSWORD'].map((name) =>
    first(environment[`HOLDFAST_REST_${name}`], environment[`RESTIC_REST_${name}`]),
  );
  if (username === undefined && password === undefined) return {};
  return { restLogin: { username: username ?? '', password: password ?? '' } };
}

function pairOf(text: string): [name: string, value: string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new Failure('usage', `-o ${text} is not of the form name=value`, {
    hint: 'Such as -o s3.region=eu-central-1.',
  });
}

/** Empty means not given. */
function first(...values: readonly (string | undefined)[]): string | undefined {
  return values.find((value) => value !== undefined && value !== '');
}
