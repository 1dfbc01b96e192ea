import type { BaseRecord } from '../../sources/postgres/base/base-record.ts';
import { needsOf } from '../../sources/postgres/restore/installation.ts';
import { findPrograms } from '../../sources/postgres/restore/programs.ts';

/** A server starts without the libraries of an extension; only what needs them fails, so that is said and no more. */
export async function findServer(record: Pick<BaseRecord, 'major' | 'databases' | 'settings'>) {
  const programs = await findPrograms(record.major, needsOf(record));
  return {
    programs,
    notes: programs.findings.map(({ message, hint }) => `${message}. ${hint ?? ''}`.trim()),
  };
}
