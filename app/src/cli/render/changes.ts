import { formatBytes, formatCount } from '../format.ts';
import { printable } from '../width.ts';

export interface Change {
  readonly kind: 'added' | 'removed' | 'content' | 'type' | 'metadata';
  readonly path: string;
}

export interface ChangeSummary {
  readonly filesAdded: number;
  readonly filesRemoved: number;
  readonly filesChanged: number;
  /** Of pieces that only one of the two snapshots has. */
  readonly bytesAdded: number;
  readonly bytesRemoved: number;
}

/** restic's letters, so that scripts and eyes need not learn new ones. */
const LETTERS = { added: '+', removed: '-', content: 'M', type: 'T', metadata: 'U' } as const;

export function renderChange(change: Change): string {
  return `${LETTERS[change.kind]}    ${printable(change.path)}`;
}

export function renderChangeSummary(summary: ChangeSummary): string[] {
  const files = `${formatCount(summary.filesAdded)} added, ${formatCount(summary.filesRemoved)} removed`;
  return [
    '',
    `files  ${files}, ${formatCount(summary.filesChanged)} changed`,
    `data   ${formatBytes(summary.bytesAdded)} added, ${formatBytes(summary.bytesRemoved)} removed`,
  ];
}
