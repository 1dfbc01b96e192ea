import type { DiffFigures } from '@holdfast/engine';
import { formatBytes, formatCount, formatCounted } from '../format.ts';
import { padEnd, printable } from '../width.ts';

export interface Change {
  /**
   * restic's letters, so that scripts and eyes need not learn new ones: `+` added, `-` removed, `M` other content,
   * `T` another type, `U` other metadata, `M?` other content although nothing else says so.
   */
  readonly modifier: string;
  /** That of a directory ends with a slash. */
  readonly path: string;
}

export interface ChangeSummary {
  readonly changedFiles: number;
  /** What only the later snapshot has. */
  readonly added: DiffFigures;
  /** What only the earlier one has. */
  readonly removed: DiffFigures;
}

export function renderChange(change: Change): string {
  return `${padEnd(change.modifier, 4)} ${printable(change.path)}`;
}

export function renderChangeSummary({ changedFiles, added, removed }: ChangeSummary): string[] {
  const files = `${formatCount(added.files)} added, ${formatCount(removed.files)} removed`;
  const pieces = ({ dataBlobs, treeBlobs, bytes }: DiffFigures) =>
    `${formatBytes(bytes)} in ${formatCounted(dataBlobs + treeBlobs, 'piece')}`;
  return [
    '',
    `files  ${files}, ${formatCount(changedFiles)} changed`,
    `data   ${pieces(added)} added, ${pieces(removed)} removed`,
  ];
}
