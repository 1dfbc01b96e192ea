import type { Client } from 'pg';
import { logIn } from '../connection/login.ts';
import { type ServerAddress, serverName } from '../connection/server-address.ts';
import { failureFrom } from '../connection/server-error.ts';
import { Placement } from './placement.ts';
import { readSelection, type Selection, type Wanted } from './selection.ts';
import { type Intent, planTables, type TablesPlan } from './table-plan.ts';
import { readTargetState } from './target-state.ts';

/** Two servers, each with a session of our own. */
export interface Sessions extends AsyncDisposable {
  /** The server of then. */
  readonly source: Client;
  /** The running one. */
  readonly target: Client;
}

/**
 * Logs in at both, with settings in which every value has one text form and every name is qualified. Nobody is thrown out
 * while a person reads the plan.
 */
export async function openSessions(
  then: ServerAddress,
  now: ServerAddress,
  signal: AbortSignal,
): Promise<Sessions> {
  await using opening = new AsyncDisposableStack();
  const open = async (address: ServerAddress) => {
    const { client } = await logIn(address, 'sql', signal);
    // Whoever waits for an answer hears of a lost connection there.
    client.on('error', () => undefined);
    opening.defer(() => client.end().catch(() => undefined));
    await client.query(SETTINGS).catch((error: unknown) => {
      throw failureFrom(error, serverName(address));
    });
    return client;
  };
  const source = await open(then);
  const target = await open(now);
  const opened = opening.move();
  return { source, target, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

export interface Prepared {
  readonly selection: Selection;
  readonly plan: TablesPlan;
}

/** Looks at both and decides. Nothing is changed or locked. */
export async function prepare(
  { source, target }: Sessions,
  now: ServerAddress,
  wanted: Wanted,
  intent: Intent,
): Promise<Prepared> {
  const selection = await asked('the server of then', () => readSelection(source, wanted));
  const placement = new Placement(intent, selection.tables, new Map());
  const places = selection.tables.map((table) => placement.ofTable(table));
  const state = await asked(serverName(now), () =>
    readTargetState(target, {
      tables: places,
      relations: [
        ...selection.tables.flatMap(({ parents, views }) => [...parents, ...views]),
        ...selection.incoming.map(({ from }) => from),
      ],
      schemas: [
        ...new Set([
          ...places.map(({ schema }) => schema),
          ...selection.tables.flatMap(({ sequences }) => sequences.map(({ schema }) => schema)),
          ...selection.types.map(({ schema }) => schema),
        ]),
      ],
    }),
  );
  return { selection, plan: planTables(selection, state, intent) };
}

const SETTINGS = `
  SET search_path = ''; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; SET timezone = 'UTC';
  SET extra_float_digits = 3; SET bytea_output = 'hex'; SET lc_monetary = 'C'; SET standard_conforming_strings = on;
  SET client_encoding = 'UTF8'; SET statement_timeout = 0; SET row_security = off;
  SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'`;

async function asked<Answer>(server: string, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    throw failureFrom(error, server);
  }
}
