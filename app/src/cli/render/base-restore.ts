import type { BaseRestoreSummary } from '../commands/postgres/restore.ts';
import { formatBytes, formatDuration } from '../format.ts';
import { type Style, signs } from '../style.ts';
import { printable } from '../width.ts';

export function renderBaseRestore(summary: BaseRestoreSummary, style: Style): string[] {
  return [
    `${style.good(signs.good)} Restored PostgreSQL ${printable(summary.serverVersion)}, ` +
      `${formatBytes(summary.bytesWritten)}, into ${printable(summary.target)} in ${formatDuration(summary.milliseconds)}`,
    ...summary.tablespaces.map(({ oid, directory }) => `  tablespace ${oid} in ${printable(directory)}`),
    `  Next: ${printable(summary.startCommand)}`,
  ];
}

export function baseRestoreRecord(summary: BaseRestoreSummary): Record<string, unknown> {
  return { type: 'summary', ...summary };
}
