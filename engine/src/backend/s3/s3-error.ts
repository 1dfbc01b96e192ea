import { Failure, type FailureCode } from '../../kernel/failure.ts';
import { type AnswerHeaders, retryAfterOf } from '../http/retry-after.ts';
import { isUntrusted, TRUST_HINT } from '../http/trust.ts';

interface Meaning {
  readonly code: FailureCode;
  readonly hint?: string;
}

const BUSY: Meaning = { code: 'backend.unreachable' };
const GARBLED: Meaning = {
  code: 'backend.io',
  hint: 'What arrived was not what was sent; it is sent again.',
};
const FULL: Meaning = { code: 'backend.full', hint: 'Is the disk of the server full, or a quota reached?' };
const KEYS = 'Check the access key and its secret (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or the profile).';
const CONNECTION = 'Is the server up, and its address right? Nothing else on the way may answer for it.';

/** Amazon's names for errors ("Error Responses" in the S3 API reference), and MinIO's where it has its own. */
const BY_NAME: Readonly<Record<string, Meaning>> = {
  NoSuchKey: { code: 'backend.not-found' },
  NotFound: { code: 'backend.not-found' },
  PreconditionFailed: { code: 'backend.exists' },
  AccessDenied: {
    code: 'backend.denied',
    hint: 'The guide has the least policy that this user needs: docs/guide/s3.md.',
  },
  InvalidAccessKeyId: { code: 'backend.denied', hint: KEYS },
  SignatureDoesNotMatch: { code: 'backend.denied', hint: KEYS },
  CredentialsProviderError: {
    code: 'backend.denied',
    hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with -o s3.profile=NAME.',
  },
  RequestTimeTooSkewed: {
    code: 'backend.denied',
    hint: 'The clocks of this machine and of the server differ by more than 15 minutes: set the wrong one right.',
  },
  PermanentRedirect: {
    code: 'backend.denied',
    hint: 'The bucket is in another region: name it with -o s3.region=REGION.',
  },
  AuthorizationHeaderMalformed: {
    code: 'backend.denied',
    hint: 'Is it the right region? Name it with -o s3.region=REGION.',
  },
  InvalidObjectState: {
    code: 'backend.denied',
    hint: 'The object lies in cold storage: have the server bring it back (RestoreObject), then try again.',
  },
  ExpiredToken: {
    code: 'backend.unreachable',
    hint: 'The temporary credentials are over and are fetched anew.',
  },
  ExpiredTokenException: {
    code: 'backend.unreachable',
    hint: 'The temporary credentials are over and are fetched anew.',
  },
  BadDigest: GARBLED,
  InvalidDigest: GARBLED,
  IncompleteBody: GARBLED,
  XAmzContentSHA256Mismatch: GARBLED,
  XAmzContentChecksumMismatch: GARBLED,
  XMinioStorageFull: FULL,
  QuotaExceeded: FULL,
  XMinioAdminBucketQuotaExceeded: FULL,
};

/** By the status alone, for servers and proxies with names of their own. */
const BY_STATUS: Readonly<Record<number, Meaning>> = {
  401: { code: 'backend.denied', hint: KEYS },
  403: { code: 'backend.denied', hint: KEYS },
  404: { code: 'backend.not-found' },
  408: BUSY,
  409: BUSY,
  412: { code: 'backend.exists' },
  429: BUSY,
  507: FULL,
};

/**
 * An error of the SDK as the failure it means; anything that is none of its errors as it came. `doing` completes
 * "Could not …".
 */
export function translateS3Error(error: unknown, doing: string, subject: string): unknown {
  if (!(error instanceof Error) || error instanceof Failure || error.name === 'AbortError') return error;
  const { $metadata, code, $response } = error as SdkError;
  const status = $metadata?.httpStatusCode ?? $response?.statusCode;
  const meaning = meaningOf(error, status, code);
  if (meaning === undefined) return error;
  return new Failure(meaning.code, `Could not ${doing}: ${reasonOf(error, status, code)}.`, {
    subject,
    retryAfter: retryAfterOf(status, $response?.headers),
    cause: error,
    ...(meaning.hint === undefined ? {} : { hint: meaning.hint }),
  });
}

/** The name that S3 gives an error; undefined for one that came from elsewhere. */
export function isS3Error(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof Error && names.includes(error.name);
}

export function statusOf(error: unknown): number | undefined {
  return (error as SdkError | undefined)?.$metadata?.httpStatusCode;
}

interface SdkError {
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly statusCode?: number; readonly headers?: AnswerHeaders };
  /** Of the connection, as Node has it. */
  readonly code?: string;
}

function meaningOf(error: Error, status: number | undefined, code: string | undefined): Meaning | undefined {
  if (Object.hasOwn(BY_NAME, error.name)) return BY_NAME[error.name];
  if (error.name === 'NoSuchBucket') {
    return {
      code: 'backend.not-found',
      hint: 'Is the name of the bucket right? holdfast repo init makes one.',
    };
  }
  if (isUntrusted(code)) return { code: 'backend.denied', hint: TRUST_HINT };
  if (status !== undefined && status >= 300) return BY_STATUS[status] ?? (status >= 500 ? BUSY : REFUSED);
  // A body that cannot be understood, or a connection that is gone: worth another try.
  if (code !== undefined || status !== undefined || error.name === 'TimeoutError') {
    return { code: 'backend.unreachable', hint: CONNECTION };
  }
  return undefined;
}

const REFUSED: Meaning = {
  code: 'backend.denied',
  hint: 'The server does not do what was asked of it; holdfast doctor storage tells what it can do.',
};

/** An answer to HEAD has no text, only a status. */
function reasonOf(error: Error, status: number | undefined, code: string | undefined): string {
  if (/^(Unknown|UnknownError|\d+)$/.test(error.name)) return `the server answered ${status}`;
  return [error.name === 'Error' ? code : error.name, tidy(error.message)].filter(Boolean).join(': ');
}

/** Messages of servers are text from outside: one line, and not the whole of an error page. */
function tidy(message: string): string {
  return message
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 300)
    .replace(/\.$/, '');
}
