import { randomBytes } from 'node:crypto';

const TEMPORARY = /^(?:[0-9a-f]{64}|config)-tmp-[0-9a-f]{16}$/;
const DAY = 24 * 60 * 60 * 1000;

/** A name beside `name` that no list shows and no other save uses. */
export function temporaryName(name: string): string {
  return `${name}-tmp-${randomBytes(8).toString('hex')}`;
}

/** Whether `temporaryName` made this name. */
export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}

/** Whether a temporary file, last changed then, belongs to a save that was killed: a day is longer than any takes. */
export function isLeftover(modified: number, now: number): boolean {
  return now - modified > DAY;
}
