/**
 * A journal's receiver killed at random moments under load, then the server and its disk, round after round, on every
 * version from 12 to 18:
 *
 *     npm run soak -- --journal 50
 *
 * Every order that was acknowledged must come back in every round.
 */
import { rmSync } from 'node:fs';
import { Prng } from '../../bench/corpus/prng.ts';
import { killReceiver } from '../postgres/killed-receiver.ts';
import { majors, type Version } from '../servers/postgres.ts';
import { spoken } from './duration.ts';
import { installOlder } from './older-postgres.ts';

export interface JournalSoak {
  readonly rounds: number;
  readonly seed: string;
  readonly say: (line: string) => void;
}

const MOST_KILLS = 4;

/** Answers what did not hold, in sentences. */
export async function soakJournal({ rounds, seed, say }: JournalSoak): Promise<readonly string[]> {
  const prng = new Prng(`${seed} journal`);
  const startedAt = Date.now();
  say('  fetching PostgreSQL 12 and 13 …');
  const { folder, programs } = await installOlder();
  const versions: readonly Version[] = [...programs, ...majors];
  let [restored, killed, orders] = [0, 0, 0];
  try {
    for (let round = 0; round < rounds; round += 1) {
      const version = versions[round % versions.length];
      if (version === undefined) break;
      const kills = 1 + prng.below(MOST_KILLS);
      const major = typeof version === 'number' ? version : version.major;
      const name = `round ${round + 1} of ${rounds}, PostgreSQL ${major}, ${kills} kills`;
      const { acknowledged, wrong } = await killReceiver(version, { kills, random: () => prng.fraction() });
      if (wrong.length > 0) return wrong.map((sentence) => `${name}: ${sentence}`);
      restored += 1;
      killed += kills;
      orders += acknowledged;
      say(`  ${name}: ${acknowledged} of ${acknowledged} orders back · ${spoken(Date.now() - startedAt)}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  say(`✔ ${restored} restores, ${killed} kills, ${orders} acknowledged orders, all of them back`);
  return [];
}
