import { type Accounts, openAccounts } from './accounts.ts';
import { type Advice, openAdvice } from './advice.ts';
import { type Attributes, openAttributes } from './attributes.ts';
import { openFileLock, type TryLock } from './file-lock.ts';
import { type Holes, openHoles } from './holes.ts';
import { loadLibrary } from './library.ts';
import { openSpecialNodes, type SpecialNodes } from './nodes.ts';
import { type LowerPriority, openPriority } from './priority.ts';
import { openTimes, type Times } from './times.ts';

/**
 * System calls that Node lacks. What this machine can't do is absent; `unavailable` then says why, for the summary.
 *
 * All are synchronous and may be used in worker threads, each with an object of its own. Paths and attribute names are
 * any bytes but NUL. Errors look like those of node:fs (`code`, `errno`, `syscall`, `path`).
 */
export interface Posix {
  readonly attributes?: Attributes;
  readonly times?: Times;
  readonly holes?: Holes;
  readonly tryLock?: TryLock;
  readonly advice?: Advice;
  readonly nodes?: SpecialNodes;
  readonly accounts?: Accounts;
  readonly lowerPriority?: LowerPriority;
  readonly unavailable?: string;
}

/** Loads the system library, about 10 ms: open it when files are about to be read or written, not before. */
export function openPosix(): Posix {
  const library = loadLibrary();
  if (typeof library === 'string') return { unavailable: library };
  const advice = openAdvice(library);
  return {
    ...(advice === undefined ? {} : { advice }),
    attributes: openAttributes(library),
    times: openTimes(library),
    holes: openHoles(library),
    tryLock: openFileLock(library),
    nodes: openSpecialNodes(library),
    accounts: openAccounts(library),
    lowerPriority: openPriority(library),
  };
}
