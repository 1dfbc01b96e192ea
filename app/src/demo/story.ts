import { join } from 'node:path';
import { type Clock, openPosix } from '@holdfast/engine';
import { chooseCacheDirectory } from '../cli/cache-directory.ts';
import type { Work } from '../cli/command-frame.ts';
import type { CommandParts } from '../cli/command-table.ts';
import type { DemoSummary, RunDemo } from '../cli/commands/demo.ts';
import type { BackupSummary } from '../cli/render/backup-summary.ts';
import type { RepositoryAccess } from '../cli/repository-options.ts';
import { Secret } from '../cli/secret.ts';
import type { Machine } from '../operations/machine.ts';
import { findDependencies } from './dependencies.ts';
import { measureDirectory } from './directory-size.ts';
import { compareManifests, describeTree, type Manifest } from './manifest.ts';
import { type Narrator, narrate } from './narrator.ts';
import { DEMO_PASSWORD, type Playground, preparePlayground } from './playground.ts';
import { buildShop, workADay } from './shop.ts';

/** What the story does, it does through the same operations as the commands. */
export type DemoParts = Pick<
  CommandParts,
  'initRepository' | 'backupFiles' | 'planRestore' | 'checkRepository'
>;

/** Builds a tree, protects it, changes it, loses it, brings it back and counts. */
export function runDemo(machine: Machine, partsFor: (machine: Machine) => DemoParts): RunDemo {
  return async (options, stage, signal) => {
    const directory = options.directory ?? join(cacheBelow(machine), 'demo');
    const playground = await preparePlayground(directory);
    const access: RepositoryAccess = {
      location: playground.repository,
      password: new Secret(DEMO_PASSWORD),
      cacheDirectory: undefined,
      lock: true,
      retryLock: 0,
    };
    // The tree is saved under its own name, not under where this machine happens to keep it.
    const parts = partsFor({ ...machine, workingDirectory: playground.directory });
    const narrator = narrate(stage, playground, machine);
    return await new Story(parts, { playground, access, narrator, clock: machine.clock, signal }).play();
  };
}

function cacheBelow({ environment, homeDirectory }: Machine): string {
  return chooseCacheDirectory({}, environment, homeDirectory) ?? join(homeDirectory, '.cache', 'holdfast');
}

interface Setting {
  readonly playground: Playground;
  readonly access: RepositoryAccess;
  readonly narrator: Narrator;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A tree that was saved, and what it was like at that moment. */
interface SavedState {
  readonly manifest: Manifest;
  readonly backup: BackupSummary;
}

class Story {
  readonly #parts: DemoParts;
  readonly #setting: Setting;
  readonly #posix = openPosix();
  readonly #work: Work;

  constructor(parts: DemoParts, setting: Setting) {
    this.#parts = parts;
    this.#setting = setting;
    this.#work = { signal: setting.signal, progress: { watch: () => {}, note: () => {} } };
  }

  async play(): Promise<DemoSummary> {
    const { playground, narrator, clock } = this.#setting;
    narrator.begin();
    await this.#build();
    const first = await this.#protect();
    const second = await this.#workOn();

    narrator.disaster();
    await playground.clear('shop');
    const startedAt = clock.now();
    const newest = await this.#recover('newest', second, playground.directory, playground.shop);
    const restore = clock.now() - startedAt;
    const older = await this.#recover('older', first, playground.older, join(playground.older, 'shop'));
    await playground.clear('older');
    narrator.compared();
    const check = await this.#check();
    narrator.end();
    return {
      files: second.manifest.files,
      bytes: second.manifest.bytes,
      repositoryBytes: measureDirectory(playground.repository),
      backup: first.backup.milliseconds,
      secondBackup: second.backup.milliseconds,
      restore,
      check: check.milliseconds,
      differences: [...newest, ...older, ...check.errors],
    };
  }

  async #build(): Promise<void> {
    const { playground, narrator, signal } = this.#setting;
    narrator.building();
    const { missing } = await buildShop({
      directory: playground.shop,
      dependencies: findDependencies(import.meta.filename),
      posix: this.#posix,
      signal,
    });
    narrator.built(await this.#describe(playground.shop), missing);
  }

  async #protect(): Promise<SavedState> {
    const { playground, access, narrator } = this.#setting;
    narrator.protecting();
    await this.#parts.initRepository(access, { repositoryVersion: 'stable' }, this.#work);
    const saved = await this.#save();
    narrator.protected(saved.backup, measureDirectory(playground.repository));
    return saved;
  }

  async #workOn(): Promise<SavedState> {
    const { playground, narrator } = this.#setting;
    narrator.working(workADay(playground.shop));
    const saved = await this.#save();
    narrator.savedAgain(saved.backup);
    return saved;
  }

  async #save(): Promise<SavedState> {
    const { playground, access } = this.#setting;
    const manifest = await this.#describe(playground.shop);
    const backup = await this.#parts.backupFiles(
      access,
      { paths: ['shop'], stdinFilename: '', compression: 'auto', scan: true },
      this.#work,
    );
    return { manifest, backup };
  }

  /** Answers the differences between what was saved and what came back. */
  async #recover(
    which: 'newest' | 'older',
    { manifest, backup }: SavedState,
    target: string,
    shop: string,
  ): Promise<string[]> {
    const { access, narrator, clock } = this.#setting;
    narrator.recovering(which);
    const startedAt = clock.now();
    const request = {
      snapshot: backup.snapshot ?? 'latest',
      target,
      overwrite: 'always',
      ownership: true,
    } as const;
    await using planned = await this.#parts.planRestore(access, request, this.#work);
    const { failed } = await planned.execute(this.#work);
    const took = clock.now() - startedAt;
    const differences = [
      ...failed.map(({ path, message }) => `${path}: ${message}`),
      ...compareManifests(manifest, await this.#describe(shop)),
    ];
    narrator.recovered(manifest, differences, took);
    return differences;
  }

  async #check(): Promise<{ milliseconds: number; errors: string[] }> {
    const { access, narrator } = this.#setting;
    narrator.checking();
    const report = await this.#parts.checkRepository(access, { readData: true }, this.#work);
    narrator.checked(report);
    const errors = report.findings.filter(({ severity }) => severity === 'error');
    return {
      milliseconds: report.milliseconds,
      errors: errors.map(({ subject, message }) => `${subject}: ${message}`),
    };
  }

  #describe(directory: string): Promise<Manifest> {
    return describeTree(directory, this.#posix, this.#setting.signal);
  }
}
