import { Failure } from '@holdfast/engine';
import type { RecoveryTarget } from '../../sources/postgres/restore/recovery-settings.ts';
import { parseLsn } from '../../sources/postgres/wal/lsn.ts';

/** What follows `--to`; a time without a zone is in the machine's. */
export function parseTarget(text: string, timeZone: string): RecoveryTarget {
  if (text === 'latest' || text === 'immediate') return { kind: text };
  if (text.startsWith('name:')) return { kind: 'name', name: text.slice('name:'.length) };
  if (/^xid:\d+$/.test(text)) return { kind: 'xid', xid: BigInt(text.slice('xid:'.length)) };
  if (/^[0-9a-f]+\/[0-9a-f]+$/i.test(text)) return { kind: 'lsn', lsn: parseLsn(text) };
  return { kind: 'time', instant: parseInstant(text, timeZone) };
}

/** Finer than milliseconds: a transaction's time has microseconds. */
function parseInstant(text: string, timeZone: string): Temporal.Instant {
  try {
    return /(?:Z|[+-]\d\d(?::?\d\d)?)$/i.test(text) && /[T ]\d\d/.test(text)
      ? Temporal.Instant.from(text.replace(/([+-]\d\d)$/, '$1:00'))
      : Temporal.PlainDateTime.from(text).toZonedDateTime(timeZone).toInstant();
  } catch {
    throw new Failure('usage', `--to ${text} is no moment`, {
      hint:
        'It is latest, immediate, a time such as "2026-11-21 10:44:07" or 2026-11-21T10:44:07+07:00, ' +
        'a position such as 0/15D68C8, xid:N or name:NAME.',
    });
  }
}
