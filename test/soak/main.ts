/**
 * Load, faults and restores at random, for as long as asked:
 *
 *     npm run soak -- --for 10m
 *     npm run soak -- --seed 3f2a --write-docs
 *     npm run soak -- --profile all --storage minio          only several processes without pause, on a real server
 *     npm run soak -- --profile prune-beside-writers         two writers and one who prunes
 *     npm run soak -- --journal 50                           instead: a PostgreSQL journal, so many rounds
 *     npm run soak -- --control 100                          instead: a control plane and its database, so many rounds
 *
 * Without a profile three things take turns. Several processes work without pause on two repositories, which are held
 * against a plain map whenever a minute is over (test/model). A repository of its own goes through many steps: in each, up
 * to three processes of ours and of stock restic work on it, some are killed, interrupted, or let down by their storage;
 * then all that was promised is restored and compared. Where root is, the power of a disk is cut. Ends with 0 when
 * everything held, with 1 at the first thing that did not; what it happened to is left where it is then.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Prng } from '../../bench/corpus/prng.ts';
import { killPlanes } from '../control/plane-chaos.ts';
import { PowerCuts } from '../crash/power-cut.ts';
import { Counts } from '../model/counts.ts';
import { play } from '../model/play.ts';
import { loopDisk } from '../servers/loop-disk.ts';
import { restic } from '../servers/restic.ts';
import { milliseconds } from './duration.ts';
import { soakJournal } from './journal.ts';
import { progressLine, summaryLines, withResult } from './report.ts';
import { Tally } from './tally.ts';
import { Trial } from './trial.ts';

/** Of what takes turns, about two minutes each. */
const GAME_MS = 120_000;
const STEPS_PER_ROUND = 8;
const CUTS_PER_ROUND = 2;
const TELL_EVERY_MS = 30_000;
const DOCS = new URL('../../docs/soak.md', import.meta.url);

const { values: options } = parseArgs({
  options: {
    'for': { type: 'string', default: '5m' },
    'seed': { type: 'string', default: randomBytes(4).toString('hex') },
    'write-docs': { type: 'boolean', default: false },
    'journal': { type: 'string' },
    'control': { type: 'string' },
    'profile': { type: 'string', default: '' },
    'storage': { type: 'string', default: 'local' },
  },
});
const { seed, profile, storage } = options;
if (options.journal !== undefined) {
  say(`Holdfast · soak of a journal, seed ${seed}`);
  const failed = await soakJournal({ rounds: Number(options.journal), seed, say });
  for (const sentence of failed) say(`✖ ${sentence} (--seed ${seed})`);
  process.exit(failed.length === 0 ? 0 : 1);
}
if (options.control !== undefined) {
  say(`Holdfast · soak of the control plane, seed ${seed}`);
  const {
    wrong: failed,
    kills,
    ...counts
  } = await killPlanes({ rounds: Number(options.control), seed, say });
  for (const sentence of failed) say(`✖ ${sentence} (--seed ${seed})`);
  say(
    `  ${kills.controlPlane} control planes and ${kills.database} databases killed; ` +
      `${counts.runs} runs ended, ${counts.snapshots} snapshots, ${counts.hooks} hooks`,
  );
  process.exit(failed.length === 0 ? 0 : 1);
}
const startedAt = Date.now();
const endsAt = startedAt + milliseconds(options.for);
const tally = new Tally();
const counts = new Counts();
const stockRestic = await restic.obtain();
const disk = await loopDisk.obtain();
let stopped = false;
let toldAt = startedAt;
process.once('SIGINT', () => {
  stopped = true;
});

say(`Holdfast · soak for ${options.for}, seed ${seed}, storage ${storage}`);
for (const { unavailable } of [stockRestic, disk].filter((found) => 'unavailable' in found)) {
  say(`▲ left out: ${unavailable}`);
}
let wrong: readonly string[] = [];
for (let round = 0; isTime() && wrong.length === 0; round += 1) {
  wrong = await playGame(round);
  // The rest has repositories of its own, on this machine's disks.
  if (profile !== '') continue;
  if (wrong.length === 0 && isTime()) wrong = await playTrial(round);
  if (wrong.length === 0 && isTime() && !('unavailable' in disk)) wrong = await playCuts(round);
}
const took = Date.now() - startedAt;
const result = { tally, counts, took, seed, storage, wrong };
for (const line of summaryLines(result)) say(line);
process.exitCode = wrong.length === 0 ? 0 : 1;
if (options['write-docs'] && !stopped) {
  const versions = { restic: 'version' in stockRestic ? stockRestic.version : 'none' };
  const page = readFileSync(DOCS, 'utf8');
  writeFileSync(DOCS, withResult(page, profile, { ...result, ended: new Date(), versions }));
}

/** Several processes without pause; alone, or in turn with the rest. */
async function playGame(round: number): Promise<readonly string[]> {
  if ('unavailable' in stockRestic) return [];
  const found = await play({
    // The first has the seed itself, so that what failed can be asked for again.
    seed: round === 0 ? seed : `${seed}-${round}`,
    profile: profile === '' ? 'all' : profile,
    storage,
    restic: stockRestic,
    counts,
    endsAt: profile === '' ? Math.min(endsAt, Date.now() + GAME_MS) : endsAt,
    onRound: () => {
      tell();
      return isTime();
    },
  });
  // Ctrl-C reaches the processes as well: how they ended then says nothing.
  return stopped ? [] : found;
}

async function playTrial(round: number): Promise<readonly string[]> {
  const trial = new Trial({
    seed: `${seed} round ${round}`,
    version: round % 4 === 3 ? 1 : 2,
    tally,
    restic: 'path' in stockRestic ? stockRestic.path : undefined,
  });
  await trial.begin();
  for (let step = 0; step < STEPS_PER_ROUND && isTime(); step += 1) {
    const found = await trial.step();
    // Ctrl-C reaches the processes of the step as well: how they ended then says nothing.
    if (stopped) break;
    if (found.length > 0) return [...found, `round ${round}; it is all left in ${trial.base}`];
    tell();
  }
  trial[Symbol.dispose]();
  return [];
}

async function playCuts(round: number): Promise<readonly string[]> {
  using cuts = await PowerCuts.create();
  const prng = new Prng(`${seed} cuts ${round}`);
  for (let number = 0; number < CUTS_PER_ROUND && isTime(); number += 1) {
    const at = prng.fraction() < 0.3 ? 'promise' : prng.below(4000);
    const found = await cuts.cut({ seed: `${seed} cut ${round} ${number}`, at });
    if (stopped) break;
    tally.powerCuts += 1;
    if (found.length > 0)
      return found.map((loss) => `power cut ${number} of round ${round}, at ${at}: ${loss}`);
    tell();
  }
  return [];
}

function isTime(): boolean {
  return !stopped && Date.now() < endsAt;
}

function tell(): void {
  if (Date.now() - toldAt < TELL_EVERY_MS) return;
  toldAt = Date.now();
  say(progressLine(tally, counts, endsAt - toldAt));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
