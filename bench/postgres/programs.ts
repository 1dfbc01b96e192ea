import { access } from 'node:fs/promises';
import path from 'node:path';
import { Failure } from '../../engine/src/kernel/failure.ts';
import { run } from '../measurement.ts';

/** What PostgreSQL's own packages and pgBackRest have to offer on this machine. */
export interface Programs {
  readonly major: number;
  /** Full paths by name. */
  readonly server: string;
  readonly initdb: string;
  readonly pgbench: string;
  readonly baseBackup: string;
  readonly receiveWal: string;
  /** Undefined when it is not installed: it is left out then. */
  readonly pgBackRest: { readonly program: string; readonly label: string } | undefined;
}

/** The newest PostgreSQL of Debian's packages. Throws `usage` when a program of it is missing, and names the package. */
export async function findPrograms(): Promise<Programs> {
  for (const major of [18, 17, 16, 15, 14, 13]) {
    const bin = `/usr/lib/postgresql/${major}/bin`;
    if (!(await isThere(path.join(bin, 'postgres')))) continue;
    const programOf = async (name: string, packageName: string) => {
      const place = path.join(bin, name);
      if (await isThere(place)) return place;
      throw missing(name, packageName);
    };
    return {
      major,
      server: path.join(bin, 'postgres'),
      initdb: await programOf('initdb', `postgresql-${major}`),
      pgbench: await programOf('pgbench', `postgresql-${major}`),
      baseBackup: await programOf('pg_basebackup', `postgresql-client-${major}`),
      receiveWal: await programOf('pg_receivewal', `postgresql-client-${major}`),
      pgBackRest: await findPgBackRest(),
    };
  }
  throw missing('a PostgreSQL server', 'postgresql');
}

async function findPgBackRest(): Promise<Programs['pgBackRest']> {
  try {
    const version = await run({ program: 'pgbackrest', args: ['version'] });
    return { program: 'pgbackrest', label: version.trim() };
  } catch {
    return undefined;
  }
}

function missing(what: string, packageName: string): Failure {
  return new Failure('usage', `${what} is not installed.`, {
    hint: `Debian: apt-get install postgresql postgresql-contrib pgbackrest (${packageName} has it)`,
  });
}

async function isThere(place: string): Promise<boolean> {
  return await access(place).then(
    () => true,
    () => false,
  );
}
