import type { Id } from '@holdfast/engine';
import type { Level } from './slice.ts';
import { PARTIAL } from './spool-files.ts';

/** A slice as the plan sees it. */
export interface SliceFacts {
  readonly id: Id;
  readonly level: Level;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly names: readonly string[];
}

export interface RollUp {
  readonly level: 'hour' | 'day';
  /** The beginning of the hour or day, UTC, milliseconds since the epoch. */
  readonly period: number;
  /** Oldest first; an earlier roll-up of the same period comes first. */
  readonly slices: readonly Id[];
  /** The one of them that holds all the others already, so that nothing has to be saved. */
  readonly kept?: Id;
}

/**
 * Pure: which slices become one. Hours that are over are rolled up, and days that are over, so that their number stays
 * at some of the current hour, 24 of the current day, and one for each day before. A period with a single slice of its
 * own level is done. What a roll-up killed halfway has left (the new one saved, the old ones not yet forgotten) is seen
 * as that, and only forgotten.
 */
export function planRollUps(slices: readonly SliceFacts[], now: number): RollUp[] {
  const plans: RollUp[] = [];
  const planned = new Set<Id>();
  for (const level of ['day', 'hour'] as const) {
    for (const [period, members] of periods(slices, LENGTHS[level])) {
      if (period + LENGTHS[level] > now) continue;
      const open = members.filter(({ id }) => !planned.has(id));
      if (open.every((slice) => RANKS[slice.level] > RANKS[level])) continue;
      if (open.length === 1 && open[0]?.level === level) continue;
      for (const { id } of open) planned.add(id);
      const kept = open.find((slice) => slice.level === level && open.every((other) => holds(slice, other)));
      const ids = open.toSorted(oldestFirst).map(({ id }) => id);
      plans.push({ level, period, slices: ids, ...(kept === undefined ? {} : { kept: kept.id }) });
    }
  }
  return plans;
}

/** A slice that is needless, and the roll-up that holds all of it. */
export interface HeldSlice {
  readonly id: Id;
  readonly by: Id;
}

/**
 * Pure: the slices whose files a roll-up among them holds as well. Where slices arrive by copying, what was rolled up at
 * their origin arrives too, and nobody there forgets what it has replaced. The roll-ups named are none of the needless ones.
 */
export function heldSlices(slices: readonly SliceFacts[]): HeldSlice[] {
  const left: SliceFacts[] = [];
  const held: HeldSlice[] = [];
  for (const slice of slices.toSorted(widestFirst)) {
    const holder = left.find((other) => other.level !== 'slice' && holds(other, slice));
    if (holder === undefined) left.push(slice);
    else held.push({ id: slice.id, by: holder.id });
  }
  return held;
}

/** Whoever may hold others comes before them. */
function widestFirst(a: SliceFacts, b: SliceFacts): number {
  return RANKS[b.level] - RANKS[a.level] || b.time - a.time || b.names.length - a.names.length;
}

/** Whether all of `other` is in `slice`: its names, or whole files for its partial ones, and nothing newer. */
function holds(slice: SliceFacts, other: SliceFacts): boolean {
  const names = new Set(slice.names);
  return (
    other.time <= slice.time &&
    other.names.every((name) => names.has(name) || (name.endsWith(PARTIAL) && names.has(wholeName(name))))
  );
}

/**
 * Pure: of files with the same name the last one counts, and a whole file makes its partial one needless. `files` in
 * the order of `RollUp.slices`.
 */
export function mergeFiles<File extends { readonly name: string }>(files: Iterable<File>): File[] {
  const merged = new Map<string, File>();
  for (const file of files) merged.set(file.name, file);
  return [...merged.values()].filter(({ name }) => !name.endsWith(PARTIAL) || !merged.has(wholeName(name)));
}

function wholeName(partial: string): string {
  return partial.slice(0, -PARTIAL.length);
}

function periods(slices: readonly SliceFacts[], length: number): Map<number, SliceFacts[]> {
  return Map.groupBy(slices, ({ time }) => Math.floor(time / length) * length);
}

/** A larger level was made of older slices than any that came after it in the same period. */
function oldestFirst(a: SliceFacts, b: SliceFacts): number {
  return RANKS[b.level] - RANKS[a.level] || a.time - b.time || (a.id < b.id ? -1 : 1);
}

const RANKS: Readonly<Record<Level, number>> = { slice: 0, hour: 1, day: 2 };
const LENGTHS = { hour: 3_600_000, day: 86_400_000 } as const;
