import type { Prng } from '../../bench/corpus/prng.ts';
import type { Command, Lines } from './program.ts';
import type { World } from './world.ts';

/** Something that somebody does to a repository. */
export interface Action {
  /** How often it is drawn, in proportion to the others. */
  readonly weight: number;
  /** Beside others, or while nobody else is at work. */
  readonly when: 'beside' | 'alone' | 'either';
  /** How often it must have ended well in the short version. */
  readonly atLeast: number;
  /** What it would do now; undefined when the model has nothing that it could be done to. */
  readonly choose: (world: World, prng: Prng) => Task | undefined;
}

/** One action, with all that was drawn for it. */
export interface Task {
  readonly command: Command;
  /** What nobody else may touch until it has ended. */
  readonly claims?: readonly string[];
  /** Done in this process before the command begins; false when there is nothing to do. */
  readonly before?: () => Promise<boolean>;
  /** It must end well, and is done again until it does. */
  readonly insist?: true;
  /** What it changes in the model when it was acknowledged; answers what it said that is not so. */
  readonly acknowledged: (lines: Lines) => readonly string[];
  /** What it changes in the model when it was killed or gave up: what may be, until somebody looks. */
  readonly unknown?: () => void;
  /** Whether it may give up with that code when nothing has befallen it. */
  readonly mayGiveUp?: (code: string) => boolean;
  /** Always run last, however it ended. */
  readonly after?: () => void;
}

export function pick<T>(from: readonly T[], prng: Prng): T | undefined {
  return from[prng.below(from.length)];
}

/** Up to `most` of them, at least one unless there is none. */
export function pickSome<T>(from: readonly T[], most: number, prng: Prng): T[] {
  const left = [...from];
  const count = Math.min(left.length, 1 + prng.below(most));
  return Array.from({ length: count }, () => left.splice(prng.below(left.length), 1)).flat();
}

/** What commands that need a moment alone say when they do not get one. */
export function isLocked(code: string): boolean {
  return code === 'repository.locked' || code === 'locked';
}
