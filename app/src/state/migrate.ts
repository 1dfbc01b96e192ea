import { createHash } from 'node:crypto';
import { Failure } from '@holdfast/engine';
import { migrations } from './migrations/migrations.ts';
import type { Database } from './session.ts';

export interface Migration {
  /** 1, 2, 3, … without a gap. What was published never changes: a database remembers its hash. */
  readonly number: number;
  readonly sql: string;
}

/** Brings the tables up to date, one control plane at a time; refuses a database that is ahead of this program. */
export async function migrate(database: Database, known: readonly Migration[] = migrations): Promise<void> {
  await database.transaction(async (session) => {
    await session.execute("SELECT pg_advisory_xact_lock(hashtext('holdfast migration'))");
    await session.execute(`
      CREATE SCHEMA IF NOT EXISTS holdfast;
      CREATE TABLE IF NOT EXISTS holdfast.migration (
        number int PRIMARY KEY, hash text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
      )`);
    const applied = await session.query<{ number: number; hash: string }>(
      'SELECT number, hash FROM holdfast.migration ORDER BY number',
    );
    const newest = applied.at(-1)?.number ?? 0;
    if (newest > known.length) throw ahead(newest, known.length);
    for (const { number, sql } of known) {
      const found = applied[number - 1];
      const hash = createHash('sha256').update(sql).digest('hex');
      if (found !== undefined && found.hash !== hash) throw changed(number);
      if (found !== undefined) continue;
      await session.execute(sql);
      await session.execute('INSERT INTO holdfast.migration (number, hash) VALUES ($1, $2)', [number, hash]);
    }
  });
}

function ahead(found: number, known: number): Failure {
  return new Failure(
    'state.version',
    `the state was written by a newer Holdfast (its tables are at ${found}, this one knows ${known})`,
    { hint: 'Start that version, or give this one a state directory or DATABASE_URL of its own.' },
  );
}

function changed(number: number): Failure {
  return new Failure('state.version', `the state was made by another Holdfast: step ${number} differs`, {
    hint: 'A development version? Give this one a state directory of its own; "holdfast catalog rebuild" fills it.',
  });
}
