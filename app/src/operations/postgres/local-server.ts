import type { BaseRecord } from '../../sources/postgres/base/base-record.ts';
import { findPrograms, missingExtensions } from '../../sources/postgres/restore/programs.ts';

/** A server starts without the libraries of an extension; only what needs them fails, so that is said and no more. */
export async function findServer({ major, databases = [] }: Pick<BaseRecord, 'major' | 'databases'>) {
  const extensions = [
    ...new Set(databases.flatMap((database) => database.extensions ?? []).map(({ name }) => name)),
  ];
  const programs = await findPrograms(major, extensions);
  const missing = await missingExtensions(programs, extensions);
  const notes =
    missing.length === 0
      ? []
      : [
          `not installed here: ${missing.join(', ')}. It recovers without, but what needs them fails ` +
            `(Debian: apt-cache search postgresql-${major} ${missing[0]})`,
        ];
  return { programs, notes };
}
