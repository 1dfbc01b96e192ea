import { join } from 'node:path';
import { type Clock, openPosix } from '@holdfast/engine';
import type { Work } from '../../cli/command-frame.ts';
import type { CommandParts } from '../../cli/command-table.ts';
import type { FilesSummary } from '../../cli/commands/demo.ts';
import type { BackupSummary } from '../../cli/render/backup-summary.ts';
import type { RepositoryAccess } from '../../cli/repository-options.ts';
import { measureDirectory } from '../directory-size.ts';
import type { Playground } from '../playground.ts';
import type { Teller } from '../teller.ts';
import { findDependencies } from './dependencies.ts';
import { compareManifests, describeTree, type Manifest } from './manifest.ts';
import { type Narrator, narrate } from './narrator.ts';
import { buildShop, workADay } from './shop.ts';

/** What the story does, it does through the same operations as the commands. */
export type FilesParts = Pick<
  CommandParts,
  'initRepository' | 'backupFiles' | 'planRestore' | 'checkRepository'
>;

/** Builds a tree, protects it, changes it, loses it, brings it back and counts. */
export async function tellFilesStory(parts: FilesParts, setting: FilesSetting): Promise<FilesSummary> {
  return await new Story(parts, setting).play();
}

export interface FilesSetting {
  readonly playground: Playground;
  readonly access: RepositoryAccess;
  readonly teller: Teller;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A tree that was saved, and what it was like at that moment. */
interface SavedState {
  readonly manifest: Manifest;
  readonly backup: BackupSummary;
}

class Story {
  readonly #parts: FilesParts;
  readonly #setting: FilesSetting;
  readonly #narrator: Narrator;
  readonly #posix = openPosix();
  readonly #work: Work;

  constructor(parts: FilesParts, setting: FilesSetting) {
    this.#parts = parts;
    this.#setting = setting;
    this.#narrator = narrate(setting.teller, setting.playground);
    this.#work = { signal: setting.signal, progress: { watch: () => {}, note: () => {} } };
  }

  async play(): Promise<FilesSummary> {
    const { playground, clock } = this.#setting;
    this.#narrator.begin();
    await this.#build();
    const first = await this.#protect();
    const second = await this.#workOn();

    this.#narrator.disaster();
    await playground.clear('shop');
    const startedAt = clock.now();
    const newest = await this.#recover('newest', second, playground.directory, playground.place('shop'));
    const restore = clock.now() - startedAt;
    const older = await this.#recover(
      'older',
      first,
      playground.place('older'),
      join(playground.place('older'), 'shop'),
    );
    await playground.clear('older');
    this.#narrator.compared();
    const check = await this.#check();
    this.#narrator.end();
    return {
      story: 'files',
      files: second.manifest.files,
      bytes: second.manifest.bytes,
      repositoryBytes: measureDirectory(playground.place('repository')),
      backup: first.backup.milliseconds,
      secondBackup: second.backup.milliseconds,
      restore,
      check: check.milliseconds,
      differences: [...newest, ...older, ...check.errors],
    };
  }

  async #build(): Promise<void> {
    const { playground, signal } = this.#setting;
    this.#narrator.building();
    const { missing } = await buildShop({
      directory: playground.place('shop'),
      dependencies: findDependencies(import.meta.filename),
      posix: this.#posix,
      signal,
    });
    this.#narrator.built(await this.#describe(playground.place('shop')), missing);
  }

  async #protect(): Promise<SavedState> {
    const { playground, access } = this.#setting;
    this.#narrator.protecting();
    await this.#parts.initRepository(access, { repositoryVersion: 'stable' }, this.#work);
    const saved = await this.#save();
    this.#narrator.protected(saved.backup, measureDirectory(playground.place('repository')));
    return saved;
  }

  async #workOn(): Promise<SavedState> {
    const { playground } = this.#setting;
    this.#narrator.working(workADay(playground.place('shop')));
    const saved = await this.#save();
    this.#narrator.savedAgain(saved.backup);
    return saved;
  }

  async #save(): Promise<SavedState> {
    const { playground, access } = this.#setting;
    const manifest = await this.#describe(playground.place('shop'));
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
    const { access, clock } = this.#setting;
    this.#narrator.recovering(which);
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
    this.#narrator.recovered(manifest, differences, took);
    return differences;
  }

  async #check(): Promise<{ milliseconds: number; errors: string[] }> {
    const { access } = this.#setting;
    this.#narrator.checking();
    const report = await this.#parts.checkRepository(access, { readData: true }, this.#work);
    this.#narrator.checked(report);
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
