import type { IncomingMessage } from 'node:http';
import { Failure, type FailureCode } from '../../kernel/failure.ts';
import { retryAfterOf } from '../http/retry-after.ts';
import { isUntrusted, TRUST_HINT } from '../http/trust.ts';

interface Meaning {
  readonly code: FailureCode;
  readonly hint?: string;
}

const FULL: Meaning = { code: 'backend.full', hint: 'Is the server’s disk full, or its quota reached?' };
const BUSY: Meaning = { code: 'backend.unreachable' };

const BY_STATUS: Readonly<Record<number, Meaning>> = {
  // To an upload: what arrived is not what its name says. It was damaged on the way, and is sent again.
  400: { code: 'backend.io', hint: 'What arrived was not what was sent; it is sent again.' },
  401: {
    code: 'backend.denied',
    hint: 'Check user and password: in the address, or in HOLDFAST_REST_USERNAME and HOLDFAST_REST_PASSWORD.',
  },
  403: {
    code: 'backend.denied',
    hint: 'May this user use this folder? A server that is append-only lets nobody remove anything but locks.',
  },
  404: { code: 'backend.not-found' },
  408: BUSY,
  // restic's own server says so when its quota is reached.
  413: FULL,
  429: BUSY,
  507: FULL,
};

const REFUSED: Meaning = {
  code: 'backend.denied',
  hint: 'Is it a REST server for restic that answers there, and the path right?',
};

/** What an answer that is no success says. */
export interface Refusal {
  readonly status: number;
  /** Milliseconds that the server wants to be left alone. */
  readonly retryAfter: number | undefined;
}

export function refusalOf({ statusCode: status = 0, headers }: IncomingMessage): Refusal {
  return { status, retryAfter: retryAfterOf(status, headers) };
}

/** `doing` completes "Could not …". */
export function refusalFailure({ status, retryAfter }: Refusal, doing: string, subject: string): Failure {
  return failure(BY_STATUS[status] ?? (status >= 500 ? BUSY : REFUSED), {
    doing,
    subject,
    reason: `the server answered ${status}`,
    retryAfter,
  });
}

/** An error of the connection as the failure it means; what is none (a failure, an abort, a bug) as it came. */
export function translateConnectionError(error: unknown, doing: string, subject: string): unknown {
  if (!(error instanceof Error) || error instanceof Failure || !('code' in error)) return error;
  const code = String(error.code);
  if (!CONNECTION.test(code) && !isUntrusted(code)) return error;
  const meaning: Meaning = isUntrusted(code)
    ? { code: 'backend.denied', hint: TRUST_HINT }
    : { code: 'backend.unreachable', hint: 'Is the server up, and its address right?' };
  return failure(meaning, { doing, subject, reason: code, cause: error });
}

/** errno names, Node's own, what its HTTP parser says to what is no HTTP, and TLS alerts. */
const CONNECTION = /^(E[A-Z]+|EAI_.*|HPE_.*|ERR_(HTTP|SSL|STREAM|SOCKET).*)$/;

interface Told {
  readonly doing: string;
  readonly subject: string;
  readonly reason: string;
  readonly retryAfter?: number | undefined;
  readonly cause?: unknown;
}

function failure({ code, hint }: Meaning, { doing, subject, reason, retryAfter, cause }: Told): Failure {
  return new Failure(code, `Could not ${doing}: ${reason}.`, {
    subject,
    retryAfter,
    cause,
    ...(hint === undefined ? {} : { hint }),
  });
}
