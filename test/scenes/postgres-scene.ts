import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BaseBackupOptions, backUpBase } from '../../app/src/sources/postgres/base/base-backup.ts';
import { readBaseRecord } from '../../app/src/sources/postgres/base/base-record.ts';
import { logIn } from '../../app/src/sources/postgres/connection/login.ts';
import { parseServerUrl, serverAddress } from '../../app/src/sources/postgres/connection/server-address.ts';
import { needsOf } from '../../app/src/sources/postgres/restore/installation.ts';
import { findPrograms } from '../../app/src/sources/postgres/restore/programs.ts';
import { type BaseRestoreOptions, restoreBase } from '../../app/src/sources/postgres/restore/restore-base.ts';
import { startScratchServer } from '../../app/src/sources/postgres/restore/scratch-server.ts';
import { createLocal } from '../../engine/src/backend/local/local.ts';
import type { StoredSnapshot } from '../../engine/src/format/types.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { createRepository } from '../../engine/src/repository/open.ts';
import type { Repository } from '../../engine/src/repository/repository.ts';
import { PASSWORD, QUICK_KEY } from './backup-scene.ts';

/** A repository and directories for restored servers, gone when disposed of. */
export class PostgresScene implements Disposable {
  readonly base = mkdtempSync(path.join(tmpdir(), 'holdfast-pg-scene-'));
  readonly repositoryPath = path.join(this.base, 'repository');
  #restores = 0;

  constructor() {
    // A restored server runs as another user than the test, below this directory.
    chmodSync(this.base, 0o755);
  }

  [Symbol.dispose](): void {
    rmSync(this.base, { recursive: true, force: true });
  }

  async create(): Promise<Repository> {
    const backend = await createLocal({ path: this.repositoryPath });
    return await createRepository(backend, PASSWORD, { clock: systemClock, kdf: QUICK_KEY });
  }

  async backUp(repository: Repository, url: string, options: Partial<BaseBackupOptions> = {}) {
    return await backUpBase(repository, {
      address: serverAddress(parseServerUrl(url)),
      clock: systemClock,
      labels: {
        hostname: 'scene',
        username: 'somebody',
        uid: 0,
        gid: 0,
        tags: ['postgres', 'base'],
        time: new Date().toISOString(),
        programVersion: 'holdfast test',
      },
      ...options,
    });
  }

  /** Restores a base into a directory of its own. */
  async restore(repository: Repository, snapshot: StoredSnapshot, options: Partial<BaseRestoreOptions> = {}) {
    this.#restores += 1;
    const target = path.join(this.base, `restored-${this.#restores}`);
    const indexed = await repository.loadIndex();
    const result = await restoreBase(indexed, snapshot, { clock: systemClock, target, ...options });
    return { ...result, target };
  }

  /** Starts what was restored, asks it, and stops it again. */
  async ask<Row extends object>(
    repository: Repository,
    snapshot: StoredSnapshot,
    dataDirectory: string,
    sql: string,
  ): Promise<Row[]> {
    const record = await readBaseRecord(await repository.loadIndex(), snapshot);
    const programs = await findPrograms(record.major, needsOf(record));
    await using server = await startScratchServer({ programs, dataDirectory, record, clock: systemClock });
    const { client } = await logIn(server.address, 'sql');
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  }
}
