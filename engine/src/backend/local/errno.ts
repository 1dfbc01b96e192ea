import { Failure, type FailureCode, type FailureDetails } from '../../kernel/failure.ts';

interface Meaning {
  readonly code: FailureCode;
  readonly hint?: string;
}

const FULL: Meaning = {
  code: 'backend.full',
  hint: 'Is the disk full, or a quota reached? `df -h` and `quota` tell.',
};
const DENIED: Meaning = {
  code: 'backend.denied',
  hint: 'Does the user that runs this own the repository, and is it mounted writable?',
};

/** Anything else is `backend.io`: worth another try, since disks and network mounts come back. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  ENOSPC: FULL,
  EDQUOT: FULL,
  EACCES: DENIED,
  EPERM: DENIED,
  EROFS: DENIED,
  ENOENT: { code: 'backend.not-found' },
  EEXIST: { code: 'backend.exists' },
};

/** The errno name of a system error (`ENOENT`), or undefined when it is none. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('errno' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/**
 * A system error as the failure it means; anything else (an abort, a failure already, a bug) as it came.
 * `doing` completes "Could not …": `save pack 1a2b3c4d in /srv/repository`.
 */
export function translateErrno(error: unknown, doing: string, subject: string): unknown {
  const errno = errnoOf(error);
  if (errno === undefined || !(error instanceof Error)) return error;
  const meaning = MEANINGS[errno] ?? {
    code: 'backend.io',
    hint: 'Is the disk healthy and the mount alive? `dmesg` tells.',
  };
  const details: FailureDetails = { subject, cause: error };
  const reason = error.message.split(',')[0];
  return new Failure(meaning.code, `Could not ${doing}: ${reason}.`, {
    ...details,
    ...(meaning.hint === undefined ? {} : { hint: meaning.hint }),
  });
}
