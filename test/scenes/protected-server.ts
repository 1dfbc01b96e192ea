import path from 'node:path';
import { viewRepository } from '../../app/src/journal/repository-view.ts';
import { logIn } from '../../app/src/sources/postgres/connection/login.ts';
import { parseServerUrl, serverAddress } from '../../app/src/sources/postgres/connection/server-address.ts';
import { inspectServer } from '../../app/src/sources/postgres/journal/receiver.ts';
import { WalShipper } from '../../app/src/sources/postgres/journal/wal-shipper.ts';
import { walPlace } from '../../app/src/sources/postgres/journal/wal-slices.ts';
import {
  type MomentPlan,
  type MomentRequest,
  planMoment,
} from '../../app/src/sources/postgres/restore/plan-moment.ts';
import { findPrograms } from '../../app/src/sources/postgres/restore/programs.ts';
import { type MomentOptions, restoreMoment } from '../../app/src/sources/postgres/restore/restore-moment.ts';
import { startScratchServer } from '../../app/src/sources/postgres/restore/scratch-server.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { KeptIndex } from '../../engine/src/repository/kept-index.ts';
import type { Repository } from '../../engine/src/repository/repository.ts';
import { JournalScene, Receiver } from '../postgres/journal-scene.ts';
import type { RunningPostgres } from '../servers/postgres.ts';
import { PostgresScene } from './postgres-scene.ts';

/** A server with bases and a journal in a repository, and moments of it brought back. */
export class ProtectedServer implements AsyncDisposable {
  readonly scene: PostgresScene;
  readonly repository: Repository;
  readonly #journal = new JournalScene();
  #server: RunningPostgres;
  #receiver: Receiver | undefined;
  #restores = 0;

  private constructor(scene: PostgresScene, repository: Repository, server: RunningPostgres) {
    this.scene = scene;
    this.repository = repository;
    this.#server = server;
  }

  static async over(server: RunningPostgres): Promise<ProtectedServer> {
    const scene = new PostgresScene();
    return new ProtectedServer(scene, await scene.create(), server);
  }

  async base() {
    return await this.scene.backUp(this.repository, this.#server.url);
  }

  /** Begins to receive, from this server from now on. */
  async journal(server = this.#server): Promise<Receiver> {
    this.#server = server;
    await this.stopJournal();
    this.#receiver = await Receiver.start(server.url, this.#journal.spool);
    return this.#receiver;
  }

  async stopJournal(): Promise<void> {
    await this.#receiver?.[Symbol.asyncDispose]();
    this.#receiver = undefined;
  }

  /** Until all that the server has made durable is in the repository. */
  async ship(): Promise<void> {
    const receiver = this.#receiver;
    if (receiver === undefined) throw new Error('there is no journal');
    await receiver.caughtUp(this.#server);
    await this.shipSpool();
  }

  /** What has arrived, wherever the server is. */
  async shipSpool(): Promise<void> {
    const receiver = this.#receiver;
    if (receiver === undefined) throw new Error('there is no journal');
    const facts = await inspectServer(
      serverAddress(parseServerUrl(this.#server.url)),
      AbortSignal.timeout(30_000),
    );
    const shipper = new WalShipper({
      spool: receiver.spool,
      writer: {
        repository: this.repository,
        index: new KeptIndex(this.repository),
        place: walPlace(facts.systemId),
        clock: systemClock,
        labels: { hostname: 'scene', username: 'somebody', uid: 0, gid: 0, programVersion: 'holdfast test' },
        retryLock: 0,
        signal: new AbortController().signal,
      },
      segmentSize: facts.segmentSize,
      clock: systemClock,
      random: Math.random,
      interval: 60_000,
      onEvent: () => undefined,
      signal: new AbortController().signal,
    });
    await shipper.ship();
  }

  async plan(request: MomentRequest): Promise<MomentPlan> {
    return await planMoment(await viewRepository(this.repository), request, { clock: systemClock });
  }

  /** A directory of its own unless said otherwise. */
  async restore(plan: MomentPlan, options: Partial<MomentOptions> = {}) {
    this.#restores += 1;
    return await restoreMoment(await this.repository.loadIndex(), plan, {
      directory: path.join(this.scene.base, `moment-${this.#restores}`),
      action: 'promote',
      clock: systemClock,
      ...options,
    });
  }

  /** Starts what was restored, asks it, stops it again. */
  async ask<Row extends object>(plan: MomentPlan, directory: string, sql: string): Promise<Row[]> {
    const { record } = plan.base;
    const programs = await findPrograms(record.major);
    await using server = await startScratchServer({
      programs,
      dataDirectory: directory,
      record,
      clock: systemClock,
    });
    const { client } = await logIn(server.address, 'sql');
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  /** Restores a moment and asks it. */
  async at<Row extends object>(
    request: MomentRequest,
    sql: string,
    options: Partial<MomentOptions> = {},
  ): Promise<{ plan: MomentPlan; rows: Row[]; directory: string }> {
    const plan = await this.plan(request);
    const { directory } = await this.restore(plan, options);
    return { plan, directory, rows: await this.ask<Row>(plan, directory, sql) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopJournal();
    await this.#journal[Symbol.asyncDispose]();
    this.scene[Symbol.dispose]();
  }
}
