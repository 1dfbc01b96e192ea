import type { Schedule } from '../policy/model.ts';

/**
 * How much later than its moment something named `name` begins: from 0 up to the schedule's jitter, always the same for
 * the same name, so that a plan can be read and a forecast is right. FNV-1a of the name with a last mix, without which
 * names that differ in their end would come at nearly the same time.
 */
export function jitterOf(name: string, schedule: Pick<Schedule, 'jitter'>): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  hash ^= hash >>> 16;
  return Math.floor(((hash >>> 0) / 2 ** 32) * schedule.jitter);
}
