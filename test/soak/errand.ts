import type { Prng } from '../../bench/corpus/prng.ts';
import type { Fault } from '../../engine/src/backend/wrap/fault.ts';
import type { Id } from '../../engine/src/kernel/id.ts';
import type { Work } from '../scenes/repository-work.ts';

/** What befalls a process: `after` in milliseconds from its first word. */
export type Mishap =
  | { readonly kind: 'kill -9' | 'interrupt'; readonly after: number }
  /** A call to the storage fails; nothing tries again. */
  | { readonly kind: 'storage fault'; readonly fault: Fault };

/** One process that works on the repository, with others beside it. */
export interface Errand {
  readonly by: 'holdfast' | 'restic';
  readonly work: Work;
  readonly mishap?: Mishap;
}

/** What there is to choose from. */
export interface Choices {
  /** Directories to back up; no two errands of a step take the same. */
  readonly trees: readonly string[];
  readonly snapshots: readonly Id[];
  /** Where the scan caches lie, one for each tree. */
  readonly cacheDirectory: string;
  /** Another repository, to copy to. */
  readonly copy: string;
  /** An empty place to restore into. */
  readonly target: string;
  /** Unique for this step. */
  readonly name: string;
  readonly restic: boolean;
}

/** More are forgotten than made. */
const MANY_SNAPSHOTS = 6;

/** Draws what happens at the same time in one step: one to three errands, and no two that must not be together. */
export function drawStep(prng: Prng, choices: Choices): Errand[] {
  // Whoever opens the repository in the moment between two passwords has the wrong one, and is right to say so.
  if (prng.fraction() < 0.08) {
    const work: Work = { does: 'change password', to: `password of ${choices.name}` };
    return [{ by: 'holdfast', work, ...drawMishap(prng, 'holdfast') }];
  }
  const forgettable = new Set(choices.snapshots);
  return Array.from({ length: 1 + prng.below(3) }, (_, number) => {
    const by = choices.restic && prng.fraction() < 0.25 ? 'restic' : 'holdfast';
    const tag = `${choices.name} ${number}`;
    const work = drawWork(prng, { ...choices, by, tag, tree: choices.trees[number] ?? '', forgettable });
    return { by, work, ...drawMishap(prng, by) };
  });
}

interface WorkChoices extends Choices {
  readonly by: Errand['by'];
  readonly tag: string;
  readonly tree: string;
  /** Those that nobody else in this step restores or forgets. */
  readonly forgettable: Set<Id>;
}

function drawWork(prng: Prng, choices: WorkChoices): Work {
  const { by, tag, tree, forgettable } = choices;
  const crowded = forgettable.size > MANY_SNAPSHOTS;
  const chance = prng.fraction();
  if (forgettable.size > 2 && chance < (crowded ? 0.5 : 0.15)) {
    return { does: 'forget', snapshots: takeSome(prng, forgettable, crowded ? 4 : 2) };
  }
  if (chance < 0.6) {
    const cached = prng.fraction() < 0.7;
    return { does: 'backup', tree, tag, ...(cached ? { cacheDirectory: choices.cacheDirectory } : {}) };
  }
  if (chance < 0.7 && by === 'holdfast') {
    return { does: 'stream', size: prng.below(2_000_000), seed: prng.below(12), tag };
  }
  if (chance < 0.78 && by === 'holdfast') return { does: 'copy', to: choices.copy };
  if (chance < 0.87) return { does: 'prune', maxUnusedPercent: prng.below(2) * 5 };
  const [snapshot] = forgettable.size === 0 ? [] : takeSome(prng, forgettable, 1);
  if (chance < 0.95 && snapshot !== undefined && by === 'holdfast') {
    return { does: 'restore', snapshot, target: `${choices.target} ${tag}` };
  }
  return { does: 'check' };
}

function takeSome(prng: Prng, from: Set<Id>, most: number): Id[] {
  return Array.from({ length: 1 + prng.below(most) }, () => {
    const taken = [...from][prng.below(from.size)];
    if (taken !== undefined) from.delete(taken);
    return taken;
  }).filter((id) => id !== undefined);
}

function drawMishap(prng: Prng, by: Errand['by']): { mishap?: Mishap } {
  const chance = prng.fraction();
  // Squared, since much of the work is over in moments, and what is over cannot be hurt.
  const after = Math.floor(prng.fraction() ** 2 * 1200);
  if (chance < 0.25) return { mishap: { kind: 'kill -9', after } };
  if (chance < 0.4) return { mishap: { kind: 'interrupt', after } };
  if (chance < 0.6 && by === 'holdfast') return { mishap: { kind: 'storage fault', fault: drawFault(prng) } };
  return {};
}

function drawFault(prng: Prng): Fault {
  const nth = 1 + prng.below(12);
  const times = 1 + prng.below(3);
  const kinds: Fault[] = [
    { call: 'save', does: 'fail', code: 'backend.full', nth, times },
    { call: 'load', does: 'fail', code: 'backend.io', nth, times },
    { call: 'remove', does: 'fail', code: 'backend.io', nth, times },
    { call: 'list', does: 'fail', code: 'backend.unreachable', nth, times, after: prng.below(3) },
    { call: 'save', does: 'succeed-then-fail', code: 'backend.unreachable', nth, times },
    { call: 'remove', does: 'succeed-then-fail', code: 'backend.unreachable', nth, times },
  ];
  return kinds[prng.below(kinds.length)] as Fault;
}
