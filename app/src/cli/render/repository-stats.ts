import type { Stats, StatsMode } from '@holdfast/engine';
import { formatBytes, formatCount, formatCounted, formatFactor } from '../format.ts';

export const STATS_MODES = [
  'restore-size',
  'files-by-contents',
  'blobs-per-file',
  'raw-data',
] as const satisfies readonly StatsMode[];

export interface RepositoryStats extends Stats {
  readonly mode: StatsMode;
}

const MEANINGS = {
  'restore-size': 'what a restore of them would take',
  'files-by-contents': 'files with the same content counted once',
  'blobs-per-file': 'pieces, counted once for each file',
  'raw-data': 'what the repository takes for them',
} as const satisfies Record<StatsMode, string>;

export function renderStats(stats: RepositoryStats): string[] {
  const { files, blobs, uncompressedSize, compressionRatio } = stats;
  return [
    `${formatCounted(stats.snapshots, 'snapshot')} · ${MEANINGS[stats.mode]}`,
    ...(files === undefined
      ? []
      : [`  ${stats.mode === 'restore-size' ? 'entries' : 'files  '}      ${formatCount(files)}`]),
    ...(blobs === undefined ? [] : [`  pieces       ${formatCount(blobs)}`]),
    `  size         ${formatBytes(stats.totalSize)}`,
    ...(uncompressedSize === undefined ? [] : [`  uncompressed ${formatBytes(uncompressedSize)}`]),
    ...(compressionRatio === undefined ? [] : [`  compression  ${formatFactor(compressionRatio, 1)}`]),
  ];
}

export function statsRecord(stats: RepositoryStats): Record<string, unknown> {
  return { type: 'summary', ...stats };
}
