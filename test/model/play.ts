import type { Obtained } from '../servers/server.ts';
import type { Counts } from './counts.ts';
import { Crowd } from './crowd.ts';

export interface Game {
  readonly seed: string;
  /** Names in `profiles` and `storages`. */
  readonly profile: string;
  readonly storage: string;
  readonly restic: Obtained;
  readonly counts: Counts;
  /** In milliseconds since the epoch. */
  readonly endsAt: number;
  /** Called after each round; false ends it. */
  readonly onRound?: () => boolean;
  /** Whether enough was done; more rounds follow until it was, within reason. */
  readonly isEnough?: () => boolean;
}

const LONGEST_ROUND_MS = 60_000;
const SHORTEST_ROUND_MS = 20_000;
/** At least so many looks, however short the time is. */
const LEAST_ROUNDS = 3;
/** How long to go on when not enough was done: on a machine that has much else to do it takes longer. */
const PATIENCE_MS = 90_000;
/** What a look takes, and those who still work when a round is over. */
const ROUND_END_MS = 10_000;

/**
 * One game on two new repositories, until time is up. Answers what did not hold, and then how to do it again and where
 * it all lies; nothing is left behind otherwise.
 */
export async function play(game: Game): Promise<readonly string[]> {
  const { seed, profile, storage, counts } = game;
  const restic = { path: game.restic.path, canWait: canWaitForLocks(game.restic.version) };
  const startedAt = Date.now();
  const crowd = await Crowd.gather({ seed, profile, storage, counts, restic });
  const length = Math.min(LONGEST_ROUND_MS, (game.endsAt - startedAt) / LEAST_ROUNDS);
  const isTime = () => {
    const patience = game.isEnough?.() === false ? PATIENCE_MS : 0;
    return Date.now() + ROUND_END_MS < game.endsAt + patience;
  };
  let wrong: string[] = [];
  let goesOn = true;
  while (goesOn && wrong.length === 0 && isTime()) {
    const left = Math.max(SHORTEST_ROUND_MS, Math.min(length, game.endsAt - Date.now()));
    wrong = await sentences(() => crowd.round(Date.now() + left - ROUND_END_MS));
    goesOn = game.onRound?.() ?? true;
  }
  if (wrong.length === 0) wrong = await sentences(() => crowd.look('all'));
  if (wrong.length === 0) {
    await crowd.dismiss();
    return [];
  }
  await crowd[Symbol.asyncDispose]();
  const duration = `${Math.ceil((game.endsAt - startedAt) / 1000)}s`;
  return [
    ...wrong,
    `seed ${seed}; what it happened to, and logbook.txt, lie in ${crowd.base}`,
    `again, as far as processes meet the same way: ` +
      `npm run soak -- --profile ${profile} --storage ${storage} --seed ${seed} --for ${duration}`,
    'what was done:',
    ...crowd.logbook.lines,
  ];
}

/** A repository that does not even open is something that does not hold, and is told of in the same way. */
async function sentences(look: () => Promise<string[]>): Promise<string[]> {
  try {
    return await look();
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
}

/** `--retry-lock` came with restic 0.16. */
function canWaitForLocks(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 0 || minor >= 16;
}
