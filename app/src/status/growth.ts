import type { RepositorySize } from '../catalog/records.ts';
import { DAY } from './patience.ts';

/** Looked at: what was before says little about tomorrow. */
const SPAN = 30 * DAY;
/** Pairs grow with the square of it. */
const MOST_SAMPLES = 120;
/** Less tells the rhythm of a day instead of its trend. */
const LEAST_SPAN = DAY;

/**
 * Bytes a day: the median of the slopes between all pairs of samples of the last 30 days (Theil and Sen), which neither
 * a prune nor one large import turns around. Undefined where the samples span less than a day.
 */
export function growthPerDay(series: readonly RepositorySize[], now: number): number | undefined {
  const recent = thin(series.filter(({ at }) => now - at <= SPAN).toSorted((a, b) => a.at - b.at));
  const first = recent[0];
  const last = recent.at(-1);
  if (first === undefined || last === undefined || last.at - first.at < LEAST_SPAN) return undefined;
  const slopes: number[] = [];
  for (const [index, from] of recent.entries()) {
    for (const to of recent.slice(index + 1)) {
      if (to.at > from.at) slopes.push(((to.bytes - from.bytes) / (to.at - from.at)) * DAY);
    }
  }
  return median(slopes);
}

function thin(series: readonly RepositorySize[]): readonly RepositorySize[] {
  if (series.length <= MOST_SAMPLES) return series;
  const step = (series.length - 1) / (MOST_SAMPLES - 1);
  return Array.from({ length: MOST_SAMPLES }, (_, index) => series[Math.round(index * step)]).filter(
    (sample) => sample !== undefined,
  );
}

function median(numbers: readonly number[]): number | undefined {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)];
  const lower = sorted[Math.ceil(middle) - 1];
  return upper === undefined || lower === undefined ? undefined : (upper + lower) / 2;
}
