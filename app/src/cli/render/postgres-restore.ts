import type { PostgresRestoreSummary, RecoveredTo } from '../commands/postgres/restore.ts';
import { formatBytes, formatCounted, formatDuration, formatMoment } from '../format.ts';
import { type Style, signs } from '../style.ts';
import { printable } from '../width.ts';
import type { Reader } from './points.ts';

export function renderPostgresRestore(
  summary: PostgresRestoreSummary,
  style: Style,
  reader: Pick<Reader, 'timeZone'>,
): string[] {
  const { took, entriesDeleted, recovered, tablespaces, next } = summary;
  const phases = [`WAL ${formatDuration(took.wal)}`, `base ${formatDuration(took.base)}`];
  if (took.recovery !== undefined) phases.push(`recovery ${formatDuration(took.recovery)}`);
  return [
    `${style.good(signs.good)} Restored PostgreSQL ${printable(summary.serverVersion)}, ` +
      `${formatBytes(summary.bytesWritten)} written, into ${printable(summary.target)} in ${formatDuration(summary.milliseconds)}`,
    `  ${phases.join(' · ')}`,
    ...(entriesDeleted === 0 ? [] : [`  ${formatCounted(entriesDeleted, 'entry', 'entries')} deleted`]),
    ...(recovered === undefined ? [] : [`  ${recoveredText(recovered, reader)}`]),
    ...tablespaces.map(({ oid, directory }) => `  tablespace ${oid} in ${printable(directory)}`),
    ...next.map((line) => `  Next: ${printable(line)}`),
  ];
}

export function postgresRestoreRecord(summary: PostgresRestoreSummary): Record<string, unknown> {
  return { type: 'summary', ...summary };
}

function recoveredText({ state, lsn, lastCommit }: RecoveredTo, { timeZone }: Pick<Reader, 'timeZone'>) {
  const last =
    lastCommit === undefined
      ? 'no transaction was replayed'
      : `the last transaction that it has is of ${formatMoment(Temporal.Instant.from(lastCommit).epochMilliseconds, timeZone)}`;
  return `It recovered up to ${lsn} and was ${state === 'paused' ? 'paused there' : 'promoted'}; ${last}`;
}
