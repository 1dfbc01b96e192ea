import { Failure, type FailureCode } from '@holdfast/engine';

const FULL = ['ENOSPC', 'EDQUOT'];

/** A system error of the spool's disk as the failure it means; anything else as it came. */
export function spoolFailure(error: unknown, doing: string, subject: string): unknown {
  if (!(error instanceof Error) || !('errno' in error) || !('code' in error)) return error;
  const full = FULL.includes(String(error.code));
  const code: FailureCode = full ? 'spool.full' : 'spool.io';
  const hint = full
    ? 'Make room there. Nothing was acknowledged that is not durable; the source keeps the rest, up to its own limit.'
    : 'Is that disk healthy and the mount alive? `dmesg` tells. The source keeps what was not acknowledged.';
  return new Failure(code, `could not ${doing}: ${error.message.split(',')[0]}`, {
    subject,
    hint,
    cause: error,
  });
}
