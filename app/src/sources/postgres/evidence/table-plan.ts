import type { Random } from '@holdfast/engine';
import type { Sample } from './evidence.ts';

/** How much of a server evidence may read. Sizes in bytes, times in milliseconds. */
export interface CountLimits {
  /** Up to this size every row is read and hashed. */
  readonly contentBytes: number;
  /** Up to this size all rows are counted; of larger tables blocks of about `contentBytes` are looked at. */
  readonly countBytes: number;
  readonly tableTime: number;
  /** For all tables of all databases. */
  readonly totalTime: number;
}

export const USUAL_LIMITS: CountLimits = {
  contentBytes: 256 * 2 ** 20,
  countBytes: 8 * 2 ** 30,
  tableTime: 60_000,
  totalTime: 600_000,
};

/** What is asked of one table. */
export interface CountPlan {
  readonly content: boolean;
  readonly sample?: Sample;
}

/**
 * What to ask of a table of this size: the first that comes to an end in time counts. The seed differs from time to time,
 * so that over many nights other blocks of a large table are looked at.
 */
export function planCount(bytes: number, limits: CountLimits, random: Random): CountPlan[] {
  const { contentBytes, countBytes } = limits;
  const sampled = (share: number): CountPlan => ({
    content: true,
    sample: { percent: percentOf(share), seed: Math.floor(random() * MOST_SEED) },
  });
  // Of a table with few blocks a sample would say nothing.
  const small = bytes < SMALLEST_SAMPLED ? [] : [sampled(Math.min(0.01, contentBytes / bytes / 8))];
  if (bytes <= contentBytes) return [{ content: true }, ...small];
  if (bytes <= countBytes) return [{ content: false }, ...small];
  return [sampled(contentBytes / bytes), ...small];
}

/** As few digits as SQL and JSON keep alike. */
function percentOf(share: number): number {
  return Math.max(SMALLEST_PERCENT, Number((share * 100).toPrecision(3)));
}

/** Bytes: one block in a hundred is one block. */
const SMALLEST_SAMPLED = 2 ** 20;
const SMALLEST_PERCENT = 0.0001;
const MOST_SEED = 2 ** 31 - 1;
