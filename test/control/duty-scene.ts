import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { OpenFinding } from '../../app/src/catalog/records.ts';
import { handsOf } from '../../app/src/operations/control/hands.ts';
import { labelsOf } from '../../app/src/operations/files/snapshot-labels.ts';
import type { Machine } from '../../app/src/operations/machine.ts';
import { operations } from '../../app/src/operations/operations.ts';
import type { Policy } from '../../app/src/policy/model.ts';
import type { Duty } from '../../app/src/protect/hands.ts';
import { sourceTags } from '../../app/src/protect/labels.ts';
import type { Task } from '../../app/src/protect/task.ts';
import { saveDocuments } from '../../app/src/snapshot/save-documents.ts';
import { shopPolicy } from '../../app/src/testing/healthy-stack.ts';
import { createLocal, openLocal } from '../../engine/src/backend/local/local.ts';
import type { StoredSnapshot } from '../../engine/src/format/types.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { createRepository, openRepository } from '../../engine/src/repository/open.ts';
import type { Repository } from '../../engine/src/repository/repository.ts';
import { PASSWORD, QUICK_KEY } from '../scenes/backup-scene.ts';

const never = new AbortController().signal;

/** The repositories of the shop's policy on this disk, and hands that carry out its tasks without a control plane. */
export class DutyScene implements Disposable {
  readonly base = mkdtempSync(path.join(tmpdir(), 'holdfast-duty-'));
  readonly machine: Machine = {
    clock: systemClock,
    random: Math.random,
    environment: { PASSWORD, HOLDFAST_CACHE_DIR: path.join(this.base, 'cache') },
    timeZone: 'UTC',
    workingDirectory: this.base,
    homeDirectory: this.base,
    hostname: 'scene',
    username: 'somebody',
    standardInput: Readable.from([]),
    version: 'test',
    program: [process.execPath],
    orders: undefined,
  };
  readonly policy: Policy;

  constructor(changes: (policy: Policy) => Policy = (policy) => policy) {
    const shop = shopPolicy();
    const repositories = shop.repositories.map((repository) => ({
      ...repository,
      url: { kind: 'plain', text: this.pathOf(repository.name) } as const,
    }));
    this.policy = changes({ ...shop, repositories });
  }

  [Symbol.dispose](): void {
    rmSync(this.base, { recursive: true, force: true });
  }

  pathOf(repository: string): string {
    return path.join(this.base, repository);
  }

  async create(name: string): Promise<Repository> {
    const backend = await createLocal({ path: this.pathOf(name) });
    return await createRepository(backend, PASSWORD, { clock: systemClock, kdf: QUICK_KEY });
  }

  async open(name: string): Promise<Repository> {
    return await openRepository(await openLocal({ path: this.pathOf(name) }), PASSWORD);
  }

  /** A snapshot of a source of the policy, taken so many milliseconds ago. */
  async save(
    repository: Repository,
    source: string,
    ago: number,
    ...tags: string[]
  ): Promise<StoredSnapshot> {
    const { clock } = this.machine;
    const time = clock.now() - ago;
    const labels = labelsOf({ tag: [sourceTags(this.policy.stack, source), tags], time }, this.machine);
    const content = new Map([['note.txt', Buffer.from(`${source} of ${time}`)]]);
    return await saveDocuments(repository, content, {
      clock,
      labels,
      paths: ['/srv'],
      retryLock: 0,
      signal: never,
    });
  }

  duty(task: Task, findings: readonly OpenFinding[] = []): Duty {
    const order = { task, policy: this.policy, stateDirectory: this.base, findings, rates: {} };
    const progress = { watch: () => undefined, note: () => undefined };
    return {
      order,
      hands: handsOf(this.machine, operations(this.machine)),
      work: { signal: never, progress },
      rates: () => ({}),
    };
  }

  /** Ids of the snapshots that lie there and are of the policy's sources, oldest first. */
  async idsIn(name: string): Promise<string[]> {
    const snapshots = await (await this.open(name)).loadSnapshots();
    return snapshots.filter(({ tags }) => tags.some((tag) => tag.startsWith('source:'))).map(({ id }) => id);
  }

  snapshotFiles(name: string): string[] {
    return readdirSync(path.join(this.pathOf(name), 'snapshots'));
  }
}
