import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Prng } from '../../bench/corpus/prng.ts';
import { restoreSnapshot } from '../../engine/src/archive/restore/restore.ts';
import { createLocal, openLocal } from '../../engine/src/backend/local/local.ts';
import type { StoredSnapshot } from '../../engine/src/format/types.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { isFailure } from '../../engine/src/kernel/failure.ts';
import type { Id } from '../../engine/src/kernel/id.ts';
import { checkRepository } from '../../engine/src/repository/check/check.ts';
import { listLocks, removeLocks } from '../../engine/src/repository/lock-files.ts';
import { createRepository, openRepository } from '../../engine/src/repository/open.ts';
import type { Repository } from '../../engine/src/repository/repository.ts';
import { QUICK_KEY } from '../scenes/backup-scene.ts';
import { changeTree } from '../scenes/changing-tree.ts';
import { COPY_PASSWORD } from '../scenes/repository-work.ts';
import { drawStep, type Errand } from './errand.ts';
import { runErrand } from './errand-process.ts';
import { type Attempt, compare, contentSavedBy, Model } from './model.ts';
import type { Tally } from './tally.ts';

export interface TrialOptions {
  /** The same seed asks for the same steps; how their processes meet is up to the machine. */
  readonly seed: string;
  readonly version: 1 | 2;
  readonly tally: Tally;
  /** The path of stock restic, where it is to take part. */
  readonly restic: string | undefined;
}

const RESTIC_CHECKS_EVERY = 10;
const clock = systemClock;

/** One repository through many steps, held against the model after each of them. */
export class Trial implements Disposable {
  readonly base = mkdtempSync(join(tmpdir(), 'holdfast-soak-'));
  readonly repository = join(this.base, 'repository');
  /** Where snapshots are copied to now and then. */
  readonly copy = join(this.base, 'copy');
  readonly #target = join(this.base, 'restored');
  readonly #trees = ['a', 'b', 'c'].map((name) => join(this.base, 'sources', name, 'tree'));
  readonly #model = new Model();
  readonly #prng: Prng;
  readonly #options: TrialOptions;
  #password = 'as it was made';
  #steps = 0;

  constructor(options: TrialOptions) {
    this.#options = options;
    this.#prng = new Prng(options.seed);
    for (const tree of this.#trees) mkdirSync(tree, { recursive: true });
  }

  [Symbol.dispose](): void {
    rmSync(this.base, { recursive: true, force: true });
  }

  async begin(): Promise<void> {
    const backend = await createLocal({ path: this.repository });
    const { version, tally } = this.#options;
    await createRepository(backend, this.#password, { clock, kdf: QUICK_KEY, version });
    await backend.close();
    const other = await createLocal({ path: this.copy });
    await createRepository(other, COPY_PASSWORD, { clock, kdf: QUICK_KEY });
    await other.close();
    tally.repositories += 1;
  }

  /** One step; answers what is not as it must be, in sentences. */
  async step(): Promise<string[]> {
    this.#steps += 1;
    this.#options.tally.steps += 1;
    const errands = this.#draw();
    const place = {
      repository: this.repository,
      password: this.#password,
      restic: this.#options.restic ?? 'restic',
    };
    const attempts = await Promise.all(
      errands.map(async (errand) => {
        const { work } = errand;
        const content = contentSavedBy(work);
        const ending = await runErrand(errand, place);
        this.#options.tally.count(errand, ending);
        return { errand, work, content, ending };
      }),
    );
    const wrong = attempts.flatMap((attempt) => this.#judge(attempt, errands.length > 1));
    wrong.push(...(await this.#settlePassword(attempts)));
    const repository = await this.#open();
    wrong.push(...(await this.#settleLocks(repository, errands)));
    const found = await repository.loadSnapshots();
    const before = this.#model.snapshots.size;
    wrong.push(...this.#model.settle(attempts, found));
    this.#options.tally.snapshots += Math.max(0, this.#model.snapshots.size - before);
    wrong.push(...(await this.#verify()));
    if (errands.some(({ work }) => work.does === 'copy')) wrong.push(...(await this.#verifyCopy(found)));
    return wrong.map((sentence) => `step ${this.#steps} (${describe(errands)}): ${sentence}`);
  }

  #draw(): Errand[] {
    const errands = drawStep(this.#prng, {
      trees: this.#trees,
      snapshots: [...this.#model.snapshots.keys()],
      cacheDirectory: join(this.base, 'cache'),
      copy: this.copy,
      target: this.#target,
      name: `step ${this.#steps}`,
      restic: this.#options.restic !== undefined,
    });
    for (const { work } of errands) if (work.does === 'backup') changeTree(work.tree, this.#prng);
    return errands;
  }

  /** How an errand may end depends on its mishap and on whether it had company. */
  #judge({ errand, work, ending }: Attempt & { errand: Errand }, inCompany: boolean): string[] {
    const { mishap } = errand;
    if (ending.how === 'crashed') return [`${work.does} crashed: ${ending.text}`];
    if (ending.how === 'killed') {
      return mishap?.kind === 'kill -9' || mishap?.kind === 'interrupt' ? [] : [`${work.does} was killed`];
    }
    if (ending.how === 'failed') {
      const may =
        (ending.why === 'locked' && inCompany) ||
        (ending.why === 'interrupted' && mishap?.kind === 'interrupt') ||
        mishap?.kind === 'storage fault';
      return may ? [] : [`${work.does} failed: ${ending.text}`];
    }
    if (mishap?.kind === 'storage fault') return [];
    const wrong = (ending.done.findings ?? []).map((finding) => `${work.does} found: ${finding}`);
    if (work.does === 'restore') wrong.push(...this.#compare(work.snapshot, work.target));
    return wrong;
  }

  async #settlePassword(attempts: readonly Attempt[]): Promise<string[]> {
    for (const { work, ending } of attempts) {
      if (work.does !== 'change password') continue;
      const before = this.#password;
      const opensNow = await this.#opens(work.to);
      if (opensNow) this.#password = work.to;
      if (ending.how !== 'done') continue;
      if (!opensNow) return ['the new password does not open'];
      if (await this.#opens(before)) return ['the old password still opens'];
    }
    return (await this.#opens(this.#password)) ? [] : ['no password opens any more'];
  }

  /** Whoever could, gave its lock back; those of the dead hold nobody up. */
  async #settleLocks(repository: Repository, errands: readonly Errand[]): Promise<string[]> {
    const unhurt = errands.every(({ mishap }) => mishap === undefined);
    const left = await listLocks(repository);
    if (unhurt && left.length > 0)
      return [`${left.length} locks were left behind by those who were not hurt`];
    await removeLocks(repository, { all: false, clock });
    const stuck = await listLocks(repository);
    return stuck.map(({ lock }) => `the lock of process ${lock?.pid}, which is gone, is not stale`);
  }

  /** The invariants: every snapshot comes back exactly, nothing is damaged, and stock restic agrees. */
  async #verify(): Promise<string[]> {
    const { tally, restic } = this.#options;
    const wrong: string[] = [];
    const repository = await this.#open();
    const indexed = await repository.loadIndex();
    for (const id of this.#model.snapshots.keys()) {
      const { tree } = await repository.loadSnapshot(id);
      const onProblem = (problem: unknown) => wrong.push(`restore of ${id}: ${JSON.stringify(problem)}`);
      rmSync(this.#target, { recursive: true, force: true });
      await restoreSnapshot(indexed, { tree }, { clock, target: this.#target, workers: 1, onProblem });
      wrong.push(...this.#compare(id, this.#target));
    }
    const check = await checkRepository(repository, {
      clock,
      random: Math.random,
      readData: 'all',
      threads: 1,
    });
    tally.checks += 1;
    for (const { severity, message } of check.findings)
      if (severity === 'error') wrong.push(`check: ${message}`);
    if (restic !== undefined && this.#steps % RESTIC_CHECKS_EVERY === 0) {
      const place = { repository: this.repository, password: this.#password, restic };
      const ending = await runErrand({ by: 'restic', work: { does: 'check' } }, place);
      tally.resticChecks += 1;
      if (ending.how !== 'done') wrong.push(`restic check: ${'text' in ending ? ending.text : ending.how}`);
    }
    return wrong;
  }

  /** Sound, and each snapshot the same as the one that it was made from, as long as that is there. */
  async #verifyCopy(originals: readonly StoredSnapshot[]): Promise<string[]> {
    const repository = await openRepository(await openLocal({ path: this.copy }), COPY_PASSWORD);
    await removeLocks(repository, { all: false, clock });
    const options = { clock, random: Math.random, readData: 'all', threads: 1 } as const;
    const { findings } = await checkRepository(repository, options);
    const trees = new Map(originals.map(({ id, tree }) => [id, tree]));
    const others = (await repository.loadSnapshots()).filter(
      ({ original, tree }) => original !== undefined && (trees.get(original) ?? tree) !== tree,
    );
    return [
      ...findings
        .filter(({ severity }) => severity === 'error')
        .map(({ message }) => `check of the copy: ${message}`),
      ...others.map(({ id }) => `snapshot ${id} of the copy is another one`),
    ];
  }

  #compare(snapshot: Id, target: string): string[] {
    const { tally } = this.#options;
    const content = this.#model.snapshots.get(snapshot);
    if (content === undefined) return [`snapshot ${snapshot} is not in the model`];
    tally.restores += 1;
    tally.entries += content.kind === 'tree' ? Object.keys(content.facts).length : 1;
    return compare(content, target).map((difference) => `snapshot ${snapshot}: ${difference}`);
  }

  async #open(): Promise<Repository> {
    return await openRepository(await openLocal({ path: this.repository }), this.#password);
  }

  async #opens(password: string): Promise<boolean> {
    try {
      await openRepository(await openLocal({ path: this.repository }), password);
      return true;
    } catch (error) {
      if (isFailure(error, 'repository.wrong-password')) return false;
      throw error;
    }
  }
}

function describe(errands: readonly Errand[]): string {
  return errands
    .map(({ by, work, mishap }) =>
      [work.does, 'by', by, ...(mishap ? [JSON.stringify(mishap)] : [])].join(' '),
    )
    .join(' beside ');
}
