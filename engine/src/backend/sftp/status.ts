import { Failure, type FailureCode } from '../../kernel/failure.ts';

/** The codes of an SFTP status (draft-ietf-secsh-filexfer-02, section 7) that mean something to us. */
export const STATUS = {
  ok: 0,
  endOfFile: 1,
  noSuchFile: 2,
  denied: 3,
  failure: 4,
  badMessage: 5,
  unsupported: 8,
} as const;

/** A server's refusal. Version 3 knows eight reasons: a full disk, a name that is taken and bad luck are all `failure`. */
export class SftpError extends Error {
  override readonly name = 'SftpError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function hasStatus(error: unknown, ...statuses: readonly number[]): error is SftpError {
  return error instanceof SftpError && statuses.includes(error.status);
}

interface Meaning {
  readonly code: FailureCode;
  readonly reason: string;
  readonly hint?: string;
}

const MEANINGS: Readonly<Record<number, Meaning>> = {
  [STATUS.noSuchFile]: { code: 'backend.not-found', reason: 'it is not there' },
  [STATUS.denied]: {
    code: 'backend.denied',
    reason: 'the server does not permit it',
    hint: 'Does the user that logs in own the repository, and is it writable for that user?',
  },
  [STATUS.unsupported]: {
    code: 'backend.denied',
    reason: 'the server cannot do it',
    hint: 'It has to know version 3 of SFTP: is something in between that only reads, or only takes uploads?',
  },
};

/**
 * A server's refusal as the failure it means; anything else (an abort, a failure already, a bug) as it came. `doing`
 * completes "Could not …".
 */
export function translateSftpError(error: unknown, doing: string, subject: string): unknown {
  if (!(error instanceof SftpError)) return error;
  const meaning = MEANINGS[error.status] ?? {
    code: 'backend.io',
    reason: `the server says “${tidy(error.message)}”`,
    hint: 'Version 3 of SFTP gives no reason: the log of the server and the state of its disk may tell.',
  };
  return new Failure(meaning.code, `Could not ${doing}: ${meaning.reason}.`, {
    subject,
    cause: error,
    ...(meaning.hint === undefined ? {} : { hint: meaning.hint }),
  });
}

/** Text from outside: one line, and not too much of it. */
export function tidy(text: string): string {
  return text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 300)
    .replace(/\.$/, '');
}
