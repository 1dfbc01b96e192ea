import type { BaseRecord } from '../base/base-record.ts';
import { lackingIn, needsOf } from './installation.ts';
import type { Programs } from './programs.ts';

export interface PreloadedLibraries {
  readonly loaded: readonly string[];
  /** What the original server had loaded and a scratch server does not. */
  readonly leftOut: readonly string[];
}

/**
 * What a scratch server loads of what the original had loaded. Only where the original's WAL has custom kinds of records
 * can it not be replayed without; which library knows which kind is not recorded, so then it is all that are installed.
 * Otherwise none: what observes, audits or schedules has no business on a copy.
 */
export async function preloadedLibraries(
  record: Pick<BaseRecord, 'settings' | 'resourceManagers'>,
  programs: Programs,
): Promise<PreloadedLibraries> {
  const { libraries } = needsOf({ settings: record.settings, databases: undefined });
  if ((record.resourceManagers ?? []).length === 0) return { loaded: [], leftOut: libraries };
  const lacking = await lackingIn(programs.bin, { extensions: [], libraries });
  const leftOut = libraries.filter((name) => lacking.libraries.includes(name) || ACT_BY_THEMSELVES.has(name));
  return { loaded: libraries.filter((name) => !leftOut.includes(name)), leftOut };
}

/** They would run the original's jobs and call its web hooks from the copy. */
const ACT_BY_THEMSELVES: ReadonlySet<string> = new Set([
  'pg_cron',
  'pg_net',
  'pg_partman_bgw',
  'pglogical',
  'pgactive',
  'bdr',
]);
