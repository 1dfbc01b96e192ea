import { parseServerUrl, serverAddress } from '../../app/src/sources/postgres/connection/server-address.ts';
import { type BringBackOptions, bringBack } from '../../app/src/sources/postgres/table/bring-back.ts';
import { openSessions, prepare } from '../../app/src/sources/postgres/table/prepare.ts';
import type { Wanted } from '../../app/src/sources/postgres/table/selection.ts';
import type { Intent } from '../../app/src/sources/postgres/table/table-plan.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import type { RunningPostgres } from '../servers/postgres.ts';

export interface TableRequest extends Partial<Wanted>, Partial<Intent>, Partial<BringBackOptions> {
  /** On the target; the superuser unless said otherwise. */
  readonly url?: string;
}

/** Brings tables of one running server into another, as the command does once its scratch server runs. */
export async function bringTables(then: RunningPostgres, now: RunningPostgres, request: TableRequest) {
  const address = serverAddress(parseServerUrl(request.url ?? now.url));
  const signal = request.signal ?? AbortSignal.timeout(60_000);
  await using sessions = await openSessions(serverAddress(parseServerUrl(then.url)), address, signal);
  const { tables = [], schemas = [], replace = false, onlyMissing = false } = request;
  const intent: Intent = {
    replace,
    onlyMissing,
    ...(request.as === undefined ? {} : { as: request.as }),
    ...(request.into === undefined ? {} : { into: request.into }),
  };
  const prepared = await prepare(sessions, address, { tables, schemas }, intent);
  const brought = await bringBack(prepared.plan, {
    ...sessions,
    address,
    clock: systemClock,
    signal,
    ...(request.onBytes === undefined ? {} : { onBytes: request.onBytes }),
  });
  return { ...prepared, ...brought, findings: [...prepared.plan.findings, ...brought.findings] };
}

/** Every row of a table as one number that does not depend on their order. */
export async function contentOf(server: RunningPostgres, table: string): Promise<string> {
  const [row] = await server.query<{ content: string }>(
    `SELECT count(*) || ':' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) AS content FROM ${table} AS t`,
  );
  return row?.content ?? '';
}
