import { Failure, type FailureCode, isFailure } from '@holdfast/engine';

/** What a server says went wrong (ErrorResponse of the protocol). `code` is the SQLSTATE. */
export interface ServerError {
  readonly severity: string;
  readonly code: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
}

/** The SQLSTATE behind a failure, for callers whose next step depends on it: a slot that is not there, a lost segment. */
export function sqlStateOf(error: unknown): string | undefined {
  const cause = isFailure(error) ? error.cause : error;
  const code =
    cause instanceof Error || isServerError(cause) ? (cause as { code?: unknown }).code : undefined;
  // Every SQLSTATE has a digit; EPIPE, of a connection that is gone, is none.
  return typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/**
 * What a server or the way to it answered, as our failure: by SQLSTATE (appendix A of PostgreSQL's manual) or errno,
 * never by text, which is translated into the server's language.
 *
 * `subject` names the server without its password: `postgres://backup@db-1:5432`.
 */
export function failureFrom(error: unknown, subject: string): Failure {
  if (error instanceof Failure) return error;
  if (isServerError(error)) return serverFailure(error, subject);
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== undefined && (code.startsWith('ERR_TLS') || certificateErrors.has(code))) {
    return new Failure('source.auth', `the server's certificate was not accepted (${code})`, {
      subject,
      hint: 'Does the certificate name this host, and is sslrootcert the authority that signed it?',
      cause: error,
    });
  }
  const hint = code === undefined ? undefined : errnoHints[code];
  return new Failure('source.unreachable', `the server could not be reached: ${code ?? message}`, {
    subject,
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}

function serverFailure(error: ServerError, subject: string): Failure {
  const [code, ours] = bySqlState[error.code] ?? bySqlState[error.code.slice(0, 2)] ?? ['source.unreadable'];
  const hint = ours ?? error.hint;
  const said = error.detail === undefined ? error.message : `${error.message} (${error.detail})`;
  return new Failure(code, `${said} (SQLSTATE ${error.code})`, {
    subject,
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}

/** A code or a class (its first two characters), what it is to us, and what to look at. */
const bySqlState: Readonly<Record<string, readonly [FailureCode, string?]>> = {
  '28P01': [
    'source.auth',
    'Was the password changed? Holdfast takes it from the URL, PGPASSWORD or ~/.pgpass.',
  ],
  '28': [
    'source.auth',
    'Is there such a role, and a line in pg_hba.conf for it, this host and the database "replication"?',
  ],
  '42501': ['source.privilege', 'holdfast doctor postgres prints the SQL that grants what is missing.'],
  '53300': ['source.unreachable', 'All connections are in use: raise max_wal_senders or max_connections.'],
  '55006': [
    'source.unreachable',
    'Another receiver has this slot, or the server still holds a connection of ours that broke: for wal_sender_timeout.',
  ],
  '57P03': ['source.unreachable', 'The server is starting up, shutting down or recovering.'],
  '57P01': ['source.unreachable', 'The server was shut down while we were connected.'],
  '08': ['source.unreachable'],
  'XX001': ['source.damaged', "The server's log names the file and the page."],
  'XX002': ['source.damaged'],
  '3D000': ['source.missing', 'There is no database of that name on this server.'],
  '0A000': ['source.unsupported'],
  '42601': ['source.unsupported', 'The server does not know this command: is it older than PostgreSQL 12?'],
};

const errnoHints: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Is the server running, and does listen_addresses include this address?',
  ENOENT: 'There is no such socket: is the server running, and is this its unix_socket_directories?',
  EACCES: 'This user may not open the socket.',
  ENOTFOUND: 'The host name is not known here.',
  ETIMEDOUT: 'Nothing answered: is a firewall between here and there?',
};

const certificateErrors = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

function isServerError(error: unknown): error is ServerError {
  return (
    typeof error === 'object' &&
    error !== null &&
    'severity' in error &&
    'code' in error &&
    'message' in error
  );
}
