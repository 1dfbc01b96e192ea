import type { Migration } from '../migrate.ts';
import { catalogTables } from './001-catalog.ts';
import { runTables } from './002-runs.ts';
import { alertTables } from './003-alerts.ts';

/** In the order in which they are applied. A change of what was published is a new one at the end. */
export const migrations: readonly Migration[] = [catalogTables, runTables, alertTables].map((sql, at) => ({
  number: at + 1,
  sql,
}));
