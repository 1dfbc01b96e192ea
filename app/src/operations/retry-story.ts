import { type Clock, isFailure, type RetryNotice } from '@holdfast/engine';
import { formatDuration } from '../cli/format.ts';
import { printable } from '../cli/width.ts';

/**
 * Tells why nothing moves while a storage does not answer. One bad moment is nobody's business, and of many calls that fail
 * together one line is enough.
 */
export function tellRetries(
  place: string,
  clock: Clock,
  note: (line: string) => void,
): (notice: RetryNotice) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  return ({ failure, failures, wait }) => {
    const now = clock.now();
    if (failures < WORTH_TELLING || now - toldAt < TELL_EVERY_MS) return;
    toldAt = now;
    const why = isFailure(failure) ? failure.message : String(failure);
    note(
      `▲ ${printable(place)} does not answer as it should: ${printable(why)} Next try in ${formatDuration(wait)}`,
    );
  };
}

const WORTH_TELLING = 2;
const TELL_EVERY_MS = 5_000;
