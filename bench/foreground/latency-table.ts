/** What somebody felt while something ran, or while nothing did. */
export interface Felt {
  /** `no backup`, or the options of the backup. */
  readonly during: string;
  /** Of each request, in milliseconds. */
  readonly latencies: readonly number[];
  /** How long each of the backups took; none when there was none. */
  readonly backupSeconds: readonly number[];
}

/** Markdown: percentiles, and the ratio of the 95th to that of the first row. */
export function renderLatencies(rows: readonly Felt[]): string {
  const baseline = rows[0] === undefined ? Number.NaN : percentile(rows[0].latencies, 95);
  const lines = rows.map(({ during, latencies, backupSeconds }, row) => {
    const p95 = percentile(latencies, 95);
    const cells = [
      during,
      percentile(latencies, 50).toFixed(1),
      p95.toFixed(1),
      row === 0 ? '' : (p95 / baseline).toFixed(2),
      percentile(latencies, 99).toFixed(1),
      String(latencies.length),
      backupSeconds.length === 0 ? '' : percentile(backupSeconds, 50).toFixed(1),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| during | p50 ms | p95 ms | × | p99 ms | requests | backup s |',
    '|---|--:|--:|--:|--:|--:|--:|',
    ...lines,
  ].join('\n');
}

/** The smallest value that `share` per cent of all do not exceed; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((share / 100) * sorted.length) - 1)] ?? Number.NaN;
}
