/**
 * Every way Holdfast can fail, in one table. The code is what a person searches for (`docs/errors/<code>.md`),
 * the exit code what a script sees (restic's numbers where they mean the same: 0 done, 1 failed, 3 incomplete,
 * 10 no repository, 11 locked, 12 wrong password, 130 interrupted), the HTTP status what the API answers,
 * `retry` whether the same call may succeed later without anybody changing anything.
 */
export const failureTable = {
  'usage': { exitCode: 2, http: 400, retry: false },
  'internal': { exitCode: 1, http: 500, retry: false },
  'interrupted': { exitCode: 130, http: 499, retry: false },
  'incomplete': { exitCode: 3, http: 207, retry: false },
  'backend.unreachable': { exitCode: 1, http: 502, retry: true },
  'backend.not-found': { exitCode: 1, http: 404, retry: false },
  'backend.exists': { exitCode: 1, http: 409, retry: false },
  'backend.denied': { exitCode: 1, http: 403, retry: false },
  'backend.full': { exitCode: 1, http: 507, retry: false },
  'backend.short-read': { exitCode: 1, http: 502, retry: true },
  'backend.io': { exitCode: 1, http: 502, retry: true },
  'backend.read-only': { exitCode: 1, http: 403, retry: false },
  'repository.missing': { exitCode: 10, http: 404, retry: false },
  'repository.exists': { exitCode: 1, http: 409, retry: false },
  'repository.locked': { exitCode: 11, http: 423, retry: true },
  'repository.lock-lost': { exitCode: 1, http: 409, retry: false },
  'repository.wrong-password': { exitCode: 12, http: 401, retry: false },
  'repository.unsupported': { exitCode: 1, http: 501, retry: false },
  'repository.damaged': { exitCode: 1, http: 500, retry: false },
  'repository.blob-missing': { exitCode: 1, http: 500, retry: false },
  'repository.last-key': { exitCode: 1, http: 409, retry: false },
  'point.unreachable': { exitCode: 1, http: 404, retry: false },
  'snapshot.not-found': { exitCode: 1, http: 404, retry: false },
  'snapshot.ambiguous': { exitCode: 1, http: 409, retry: false },
  'snapshot.path-not-found': { exitCode: 1, http: 404, retry: false },
  'source.unreadable': { exitCode: 1, http: 500, retry: false },
  'source.missing': { exitCode: 1, http: 404, retry: false },
  'spool.full': { exitCode: 1, http: 507, retry: true },
  'spool.io': { exitCode: 1, http: 500, retry: true },
  'spool.foreign': { exitCode: 1, http: 409, retry: false },
  'spool.locked': { exitCode: 1, http: 423, retry: false },
  'state.unavailable': { exitCode: 1, http: 503, retry: true },
  'state.unsupported': { exitCode: 1, http: 501, retry: false },
  'state.version': { exitCode: 1, http: 409, retry: false },
  'state.damaged': { exitCode: 1, http: 500, retry: false },
  'state.denied': { exitCode: 14, http: 502, retry: false },
  'state.full': { exitCode: 1, http: 507, retry: true },
  'source.auth': { exitCode: 14, http: 502, retry: false },
  'source.unreachable': { exitCode: 1, http: 502, retry: true },
  'source.privilege': { exitCode: 14, http: 502, retry: false },
  'source.damaged': { exitCode: 1, http: 502, retry: false },
  'source.unsupported': { exitCode: 1, http: 501, retry: false },
  'evidence.different': { exitCode: 1, http: 500, retry: false },
  'target.not-empty': { exitCode: 1, http: 409, retry: false },
  'target.exists': { exitCode: 1, http: 409, retry: false },
  'target.mismatch': { exitCode: 1, http: 409, retry: false },
  'target.privilege': { exitCode: 14, http: 403, retry: false },
  'target.unsafe': { exitCode: 1, http: 409, retry: false },
  'target.write': { exitCode: 1, http: 500, retry: false },
} as const satisfies Record<string, { exitCode: number; http: number; retry: boolean }>;

export type FailureCode = keyof typeof failureTable;

export interface FailureDetails {
  /** What it concerns: a file, a repository's location, a snapshot. Never a secret. */
  readonly subject?: string;
  /** What to look at or to type next, as a sentence. */
  readonly hint?: string;
  /** Milliseconds that whoever refused wants to be left alone; only where the code says that it may be tried again. */
  readonly retryAfter?: number | undefined;
  readonly cause?: unknown;
}

/** The one error class of the engine and the app. The message is a sentence for the person at 3 a.m. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  readonly subject: string | undefined;
  readonly hint: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: FailureCode, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.subject = details.subject;
    this.hint = details.hint;
    this.retryAfter = details.retryAfter;
  }

  get exitCode(): number {
    return failureTable[this.code].exitCode;
  }

  get retry(): boolean {
    return failureTable[this.code].retry;
  }
}

export function isFailure(error: unknown, code?: FailureCode): error is Failure {
  return error instanceof Failure && (code === undefined || error.code === code);
}
