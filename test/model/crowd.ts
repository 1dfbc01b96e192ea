import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Prng } from '../../bench/corpus/prng.ts';
import type { Task } from './action.ts';
import { actions } from './actions.ts';
import type { Counts } from './counts.ts';
import { Logbook } from './logbook.ts';
import { type Profile, profiles } from './profile.ts';
import { type Ending, type Mishap, runProgram } from './program.ts';
import { verify } from './verification.ts';
import { World, type WorldOptions } from './world.ts';

export interface CrowdOptions extends Omit<WorldOptions, 'side'> {
  /** The same seed draws the same; how processes meet, and so what there is to draw from, is up to the machine. */
  readonly seed: string;
  /** A name in `profiles`. */
  readonly profile: string;
  readonly counts: Counts;
}

/** Actions while nobody else is at work, after each round. */
const ALONE_PER_ROUND = 3;
const RESTORED_PER_ROUND = 2;
/** What is not done often enough yet is drawn as often as all else together. */
const OWED_SHARE = 0.5;
const MOMENT_MS = 100;
/** How long a program takes as far as is known before it was seen. */
const FIRST_GUESS_MS = 1500;

/**
 * Several processes at once on two repositories, against a plain map. A round: some lanes draw one action after the
 * other and run it as a process; when time is up and all have ended, a few things happen that want to be alone; then
 * both repositories are held against the model.
 */
export class Crowd implements AsyncDisposable {
  readonly logbook: Logbook;
  readonly #world: World;
  readonly #options: CrowdOptions;
  readonly #profile: Profile;
  /** How long an action takes that is let be: the last one's milliseconds. */
  readonly #durations = new Map<string, number>();
  #rounds = 0;

  private constructor(world: World, options: CrowdOptions, profile: Profile) {
    this.#world = world;
    this.#options = options;
    this.#profile = profile;
    this.logbook = new Logbook(join(world.base, 'logbook.txt'));
  }

  static async gather(options: CrowdOptions): Promise<Crowd> {
    const profile = profiles[options.profile];
    if (profile === undefined) throw new Error(`there is no profile ${options.profile}`);
    const world = await World.create({ ...options, side: profile.side });
    return new Crowd(world, options, profile);
  }

  get base(): string {
    return this.#world.base;
  }

  /** Ends what runs beside us; the directories stay. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#world[Symbol.asyncDispose]();
  }

  /** Ends all and takes the directories away. */
  async dismiss(): Promise<void> {
    await this[Symbol.asyncDispose]();
    this.#world.clear();
  }

  /** Works until then, in milliseconds since the epoch, and looks. Answers what does not hold, in sentences. */
  async round(endsAt: number): Promise<string[]> {
    this.#rounds += 1;
    this.#options.counts.rounds += 1;
    const prngOf = (part: string) => new Prng(`${this.#options.seed} round ${this.#rounds} ${part}`);
    const lanes = this.#profile.lanes.map(async (names, lane) => {
      const wrong: string[] = [];
      const prng = prngOf(`lane ${lane}`);
      while (Date.now() < endsAt && wrong.length === 0) wrong.push(...(await this.#drawAndAct(names, prng)));
      return wrong;
    });
    const wrong = (await Promise.all(lanes)).flat();
    const prng = prngOf('alone');
    for (let count = 0; count < ALONE_PER_ROUND && wrong.length === 0; count += 1) {
      if (this.#profile.alone.length > 0) wrong.push(...(await this.#drawAndAct(this.#profile.alone, prng)));
    }
    wrong.push(...(await this.look({ atMost: RESTORED_PER_ROUND, prng })));
    return wrong;
  }

  /** Holds both repositories against the model: all that was promised, or a few of each. */
  async look(restores: 'all' | { readonly atMost: number; readonly prng: Prng }): Promise<string[]> {
    const wrong = await verify(this.#world, { counts: this.#options.counts, restores });
    this.logbook.note(`looked at both: ${wrong.length === 0 ? 'all is as it must be' : wrong.join('; ')}`);
    return wrong;
  }

  async #drawAndAct(names: readonly string[], prng: Prng): Promise<string[]> {
    const name = this.#draw(names, prng);
    const task = actions[name]?.choose(this.#world, prng);
    if (task !== undefined) return await this.#act(name, task, prng);
    await delay(MOMENT_MS);
    return [];
  }

  #draw(names: readonly string[], prng: Prng): string {
    const { counts } = this.#options;
    const owed = names.filter((name) => counts.done(name) < (actions[name]?.atLeast ?? 0));
    const from = owed.length > 0 && prng.fraction() < OWED_SHARE ? owed : names;
    const total = from.reduce((sum, name) => sum + weightOf(name), 0);
    let left = prng.fraction() * total;
    for (const name of from) {
      left -= weightOf(name);
      if (left < 0) return name;
    }
    return from[0] ?? '';
  }

  async #act(name: string, task: Task, prng: Prng): Promise<string[]> {
    const { claims = [], insist = false } = task;
    for (const claim of claims) this.#world.claims.add(claim);
    try {
      if ((await task.before?.()) === false) return [];
      for (;;) {
        const mishap = this.#drawMishap(name, prng);
        const ending = await this.#run(name, task, mishap);
        const wrong = judge(task, ending, mishap).map((text) => `${name}: ${text}`);
        if (!insist || wrong.length > 0 || ending.how === 'done') return wrong;
      }
    } finally {
      for (const claim of claims) this.#world.claims.delete(claim);
      task.after?.();
    }
  }

  async #run(name: string, task: Task, mishap: Mishap | undefined): Promise<Ending> {
    const { counts, restic } = this.#options;
    const startedAt = Date.now();
    const ended = this.logbook.begin(name, task.command, mishap);
    const ending = await runProgram(task.command, restic.path, mishap);
    ended(ending);
    if (ending.how === 'done') {
      this.#durations.set(name, Date.now() - startedAt);
      const totals = ending.lines.find(({ type }) => type === 'plan') as PrunedTotals | undefined;
      counts.marked += totals?.marked?.packs ?? 0;
      counts.removed += totals?.removed?.packs ?? 0;
    }
    counts.count(name, ending.how);
    if (mishap !== undefined) counts.mishaps.set(mishap.kind, (counts.mishaps.get(mishap.kind) ?? 0) + 1);
    return ending;
  }

  /** At any moment from its start to a little after its usual end. */
  #drawMishap(name: string, prng: Prng): Mishap | undefined {
    const chance = prng.fraction();
    const after = Math.floor(prng.fraction() * 1.2 * (this.#durations.get(name) ?? FIRST_GUESS_MS));
    if (chance < 0.2) return { kind: 'kill -9', after };
    return chance < 0.26 ? { kind: 'interrupt', after } : undefined;
  }
}

function weightOf(name: string): number {
  return actions[name]?.weight ?? 0;
}

/** What a prune says of itself, as far as it is counted. */
interface PrunedTotals {
  readonly marked?: { readonly packs: number };
  readonly removed?: { readonly packs: number };
}

/** How it may end depends on what befell it; the model learns of it here. */
function judge(task: Task, ending: Ending, mishap: Mishap | undefined): readonly string[] {
  switch (ending.how) {
    case 'done':
      return task.acknowledged(ending.lines);
    case 'killed':
      task.unknown?.();
      return mishap === undefined ? ['it was killed, and not by us'] : [];
    case 'crashed':
      task.unknown?.();
      return [`it crashed: ${ending.text}`];
    case 'gave up':
      if (mishap?.kind === 'interrupt' && (ending.code === 'interrupted' || ending.code === 'failed')) {
        task.unknown?.();
        return [];
      }
      // Whoever gives up by themselves has changed nothing.
      return task.mayGiveUp?.(ending.code) === true ? [] : [`it gave up: ${ending.text}`];
  }
}
