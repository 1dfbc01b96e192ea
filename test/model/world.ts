import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Prng } from '../../bench/corpus/prng.ts';
import { systemClock as clock } from '../../engine/src/kernel/clock.ts';
import { listLocks, removeLocks, type StoredLock } from '../../engine/src/repository/lock-files.ts';
import { createRepository, openRepository } from '../../engine/src/repository/open.ts';
import type { Repository } from '../../engine/src/repository/repository.ts';
import { QUICK_KEY } from '../scenes/backup-scene.ts';
import { differences, treeFacts } from '../scenes/tree-facts.ts';
import { Holding } from './holding.ts';
import type { Command } from './program.ts';
import { createSide, openSide, otherThan, SIDES, type Side, type Storage, storages } from './storage.ts';

export interface WorldOptions {
  /** A name in `storages`. */
  readonly storage: string;
  /** The path of stock restic, and whether it can wait for a lock (from 0.16 on). */
  readonly restic: { readonly path: string; readonly canWait: boolean };
  /** Where it is that all happens, if not on both sides. */
  readonly side: Side | undefined;
}

const PASSWORDS: Readonly<Record<Side, string>> = { main: 'of the first one', copy: 'of the copy' };
const TREES = ['a', 'b', 'c', 'd', 'e'];
const TREE_NAME = 'tree';

/** Two repositories, the trees that are backed up to them, and the plain map of what must come back. */
export class World implements AsyncDisposable {
  readonly base: string;
  readonly restic: WorldOptions['restic'];
  readonly storage: Storage;
  readonly sides: Readonly<Record<Side, Holding>>;
  readonly trees: readonly string[];
  /** What running programs work on and nobody else may meanwhile: trees, snapshots. */
  readonly claims = new Set<string>();
  readonly #contents = new Map<string, Record<string, string>>();
  #names = 0;
  #places = 0;

  readonly #onlySide: Side | undefined;

  private constructor(base: string, storage: Storage, { restic, side }: WorldOptions) {
    this.base = base;
    this.#onlySide = side;
    this.storage = storage;
    this.restic = restic;
    const nameOf = (tags: readonly string[]) => tags.find((tag) => this.#contents.has(tag));
    this.sides = { main: new Holding(nameOf), copy: new Holding(nameOf) };
    this.trees = TREES.map((name) => join(base, 'sources', name, TREE_NAME));
    for (const tree of this.trees) mkdirSync(tree, { recursive: true });
  }

  static async create(options: WorldOptions): Promise<World> {
    const base = mkdtempSync(join(tmpdir(), 'holdfast-model-'));
    const start = storages[options.storage];
    if (start === undefined) throw new Error(`there is no storage ${options.storage}`);
    const world = new World(base, await start(base), options);
    let chunkerPolynomial: string | undefined;
    for (const side of SIDES) {
      const backend = await createSide(world.storage, side);
      const like = chunkerPolynomial === undefined ? {} : { chunkerPolynomial };
      const made = await createRepository(backend, PASSWORDS[side], { clock, kdf: QUICK_KEY, ...like });
      chunkerPolynomial = made.config.chunkerPolynomial;
      await backend.close();
    }
    return world;
  }

  /** Ends the servers; what lies in `base` stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.storage[Symbol.asyncDispose]();
  }

  clear(): void {
    rmSync(this.base, { recursive: true, force: true });
  }

  drawSide(prng: Prng, mainShare = 0.5): Side {
    const drawn = prng.fraction() < mainShare ? 'main' : 'copy';
    return this.#onlySide ?? drawn;
  }

  async open(side: Side): Promise<Repository> {
    return await openRepository(await openSide(this.storage, side), PASSWORDS[side]);
  }

  /** Removes the locks of those who were killed; answers those that are left. */
  async unlock(side: Side): Promise<StoredLock[]> {
    const repository = await this.open(side);
    try {
      await removeLocks(repository, { all: false, clock });
      return await listLocks(repository);
    } finally {
      await repository.backend.close();
    }
  }

  /** A command of ours on one side; with the other one as `--from-repo` when it asks for it. */
  ours(side: Side, words: readonly string[], workingDirectory = this.base): Command {
    const environment = {
      ...this.storage.environment,
      HOME: this.base,
      HOLDFAST_CACHE_DIR: join(this.base, 'cache'),
      NODE_COMPILE_CACHE: join(tmpdir(), 'holdfast-model-compiled'),
      HOLDFAST_REPOSITORY: this.storage.address(side),
      HOLDFAST_PASSWORD: PASSWORDS[side],
      HOLDFAST_FROM_PASSWORD: PASSWORDS[otherThan(side)],
    };
    return { by: 'holdfast', words, workingDirectory, environment };
  }

  stock(side: Side, words: readonly string[], workingDirectory = this.base): Command {
    const environment = {
      ...this.storage.environment,
      HOME: this.base,
      RESTIC_REPOSITORY: this.storage.address(side),
      RESTIC_PASSWORD: PASSWORDS[side],
    };
    const patience = this.restic.canWait ? ['--retry-lock', '10s'] : [];
    return { by: 'restic', words: [...patience, ...words], workingDirectory, environment };
  }

  /** A new name, as whose content a snapshot of the tree must bring back what is in it now. */
  nameContent(tree: string): string {
    this.#names += 1;
    const name = `n${this.#names}`;
    this.#contents.set(name, treeFacts(tree));
    return name;
  }

  allNames(): Iterable<string> {
    return this.#contents.keys();
  }

  newPlace(): string {
    this.#places += 1;
    return join(this.base, `restored-${this.#places}`);
  }

  /** What is not as it was, in what was restored into `place`; that is gone afterwards when all is well. */
  compare(name: string, place: string): string[] {
    const wrong = differences(this.#contents.get(name) ?? {}, treeFacts(join(place, TREE_NAME)));
    if (wrong.length === 0) rmSync(place, { recursive: true, force: true });
    return wrong;
  }

  nameIn(tags: unknown): string | undefined {
    return Array.isArray(tags) ? tags.find((tag) => this.#contents.has(tag)) : undefined;
  }
}
