import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  type BackupOptions,
  type BackupResult,
  backupFiles,
} from '../../engine/src/archive/backup/backup.ts';
import { createLocal, openLocal } from '../../engine/src/backend/local/local.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { createRepository, openRepository } from '../../engine/src/repository/open.ts';
import type { Repository } from '../../engine/src/repository/repository.ts';

const execute = promisify(execFile);

/** The least that a key may cost, so that restic and we open it at once. */
export const QUICK_KEY = { N: 2 ** 14, r: 8, p: 1 };
export const PASSWORD = 'open sesame';
export const HOST = 'scene';

/** A tree, a repository and a scan cache in a folder of their own; gone when disposed. */
export class BackupScene implements Disposable {
  readonly base = mkdtempSync(join(tmpdir(), 'holdfast-scene-'));
  readonly tree = join(this.base, 'source', 'tree');
  readonly repositoryPath = join(this.base, 'repository');
  readonly cacheDirectory = join(this.base, 'cache');
  #restores = 0;

  constructor() {
    mkdirSync(this.tree, { recursive: true });
  }

  [Symbol.dispose](): void {
    rmSync(this.base, { recursive: true, force: true });
  }

  async create(version: 1 | 2 = 2): Promise<Repository> {
    const backend = await createLocal({ path: this.repositoryPath });
    return await createRepository(backend, PASSWORD, { clock: systemClock, kdf: QUICK_KEY, version });
  }

  async open(): Promise<Repository> {
    return await openRepository(await openLocal({ path: this.repositoryPath }), PASSWORD);
  }

  /** Backs the tree up, with the scan cache, unless `options` say otherwise. */
  async backup(repository: Repository, options: Partial<BackupOptions> = {}): Promise<BackupResult> {
    return await backupFiles(repository, this.options(options));
  }

  options(options: Partial<BackupOptions> = {}): BackupOptions {
    return {
      clock: systemClock,
      paths: ['tree'],
      workingDirectory: join(this.base, 'source'),
      labels: {
        hostname: HOST,
        username: 'somebody',
        uid: 0,
        gid: 0,
        tags: [],
        time: new Date().toISOString(),
        programVersion: 'holdfast 0.1.0',
      },
      selection: { patterns: [], patternsIgnoringCase: [], tagFiles: [] },
      cacheDirectory: this.cacheDirectory,
      workers: 2,
      ...options,
    };
  }

  /** Runs stock restic on the repository; answers what it wrote to stdout. */
  async restic(program: { readonly path: string }, ...args: string[]): Promise<string> {
    return await this.resticIn(this.base, program, ...args);
  }

  /** The same from another working directory. */
  async resticIn(cwd: string, program: { readonly path: string }, ...args: string[]): Promise<string> {
    const { stdout } = await execute(program.path, ['--repo', this.repositoryPath, '--no-cache', ...args], {
      env: { ...process.env, RESTIC_PASSWORD: PASSWORD, RESTIC_PROGRESS_FPS: '0.1' },
      cwd,
      maxBuffer: 256 * 1024 * 1024,
    });
    return stdout;
  }

  /** Has stock restic restore a snapshot; answers where the tree lies then. */
  async restored(program: { readonly path: string }, snapshot: string): Promise<string> {
    this.#restores += 1;
    const target = join(this.base, `restored-${this.#restores}`);
    await this.restic(program, 'restore', snapshot, '--target', target);
    return join(target, 'tree');
  }

  /** Bytes of all the repository's files. */
  get repositoryBytes(): number {
    return sizeBelow(this.repositoryPath);
  }
}

function sizeBelow(path: string): number {
  let sum = 0;
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) sum += statSync(join(entry.parentPath, entry.name)).size;
  }
  return sum;
}
