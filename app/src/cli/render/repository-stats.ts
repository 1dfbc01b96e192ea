import { formatBytes, formatCount, formatCounted, formatFactor } from '../format.ts';

export const STATS_MODES = ['restore-size', 'files-by-contents', 'blobs-per-file', 'raw-data'] as const;

export type StatsMode = (typeof STATS_MODES)[number];

export interface RepositoryStats {
  readonly mode: StatsMode;
  readonly snapshots: number;
  /** Absent in mode `raw-data`. */
  readonly files?: number;
  /** Absent where blobs are not counted. */
  readonly blobs?: number;
  /** What the mode counts, in bytes. */
  readonly bytes: number;
  /** Before compression; only in mode `raw-data` of a repository that compresses. */
  readonly uncompressedBytes?: number;
}

const MEANINGS = {
  'restore-size': 'what a restore of them would take',
  'files-by-contents': 'files with the same content counted once',
  'blobs-per-file': 'pieces, counted once for each file',
  'raw-data': 'what the repository takes for them',
} as const satisfies Record<StatsMode, string>;

export function renderStats(stats: RepositoryStats): string[] {
  const { files, blobs, uncompressedBytes } = stats;
  return [
    `${formatCounted(stats.snapshots, 'snapshot')} · ${MEANINGS[stats.mode]}`,
    ...(files === undefined ? [] : [`  files        ${formatCount(files)}`]),
    ...(blobs === undefined ? [] : [`  pieces       ${formatCount(blobs)}`]),
    `  size         ${formatBytes(stats.bytes)}`,
    ...(uncompressedBytes === undefined
      ? []
      : [
          `  compression  ${formatFactor(uncompressedBytes, stats.bytes)} of ${formatBytes(uncompressedBytes)}`,
        ]),
  ];
}

export function statsRecord(stats: RepositoryStats): Record<string, unknown> {
  return { type: 'summary', ...stats };
}
