import type { Problem } from '../alert/incident.ts';
import type { Session, Transaction } from '../state/session.ts';

/** As they were left by the last tick; what an incident remembers is decided in `alert/`. */
export async function readIncidents<Incident extends Problem>(session: Session): Promise<Incident[]> {
  const rows = await session.query<{ incident: Incident }>(
    'SELECT incident FROM holdfast.incident ORDER BY since, key',
  );
  return rows.map(({ incident }) => incident);
}

/** Those that are remembered from now on, and no others. */
export async function replaceIncidents(
  transaction: Transaction,
  incidents: readonly Problem[],
): Promise<void> {
  await transaction.execute('DELETE FROM holdfast.incident WHERE key <> ALL ($1)', [
    incidents.map(({ key }) => key),
  ]);
  await transaction.execute(
    `INSERT INTO holdfast.incident (key, since, incident)
     SELECT incident->>'key', (incident->>'since')::bigint, incident FROM jsonb_array_elements($1) AS incident
     ON CONFLICT (key) DO UPDATE SET since = excluded.since, incident = excluded.incident
     WHERE incident.incident <> excluded.incident`,
    [JSON.stringify(incidents)],
  );
}
