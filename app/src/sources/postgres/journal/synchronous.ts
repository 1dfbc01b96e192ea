import type { Finding } from '@holdfast/engine';

export interface SynchronousSettings {
  /** `synchronous_standby_names` as SHOW prints it. */
  readonly names: string;
  /** `synchronous_commit`: what a session has unless it says otherwise. */
  readonly commit: string;
}

/** Pure: why commits are not durable with us before they are acknowledged, or would wait for ever; undefined if all is well. */
export function synchronousFinding(
  { names, commit }: SynchronousSettings,
  name: string,
): Finding | undefined {
  if (!standbyNames(names).some((listed) => listed === '*' || listed.toLowerCase() === name.toLowerCase())) {
    return {
      severity: 'warning',
      code: 'journal.not-synchronous',
      subject: `synchronous_standby_names = '${names}'`,
      message: `the server does not wait for ${name}: a commit may be acknowledged before it is in the spool`,
      hint: `ALTER SYSTEM SET synchronous_standby_names = '${name}'; SELECT pg_reload_conf();`,
    };
  }
  if (commit === 'off' || commit === 'local') {
    return {
      severity: 'warning',
      code: 'journal.not-synchronous',
      subject: `synchronous_commit = ${commit}`,
      message: 'commits wait for nobody unless their session asks for it',
      hint: 'ALTER SYSTEM SET synchronous_commit = on; SELECT pg_reload_conf();',
    };
  }
  if (commit === 'remote_apply') {
    return {
      severity: 'error',
      code: 'journal.never-applies',
      subject: 'synchronous_commit = remote_apply',
      message: 'commits wait until we have applied them, which a journal never does',
      hint: 'ALTER SYSTEM SET synchronous_commit = on; SELECT pg_reload_conf();',
    };
  }
  return undefined;
}

/** The names in `a, "b c"`, `2 (a, b)`, `FIRST 2 (a, b)` or `ANY 1 (a, b)`. */
function standbyNames(setting: string): string[] {
  const list = /^\s*(?:(?:first|any)\s+)?\d+\s*\((.*)\)\s*$/i.exec(setting)?.[1] ?? setting;
  return [...list.matchAll(/"((?:[^"]|"")*)"|[^\s,"]+/g)].map(
    ([whole, quoted]) => quoted?.replaceAll('""', '"') ?? whole,
  );
}
