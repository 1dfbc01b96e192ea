import { Failure } from '@holdfast/engine';
import { viewRepository } from '../../app/src/journal/repository-view.ts';
import {
  parseServerUrl,
  type ServerAddress,
  serverAddress,
} from '../../app/src/sources/postgres/connection/server-address.ts';
import { type Evidence, isSampled } from '../../app/src/sources/postgres/evidence/evidence.ts';
import { type SampleOptions, sampleServer } from '../../app/src/sources/postgres/evidence/sample.ts';
import { USUAL_LIMITS } from '../../app/src/sources/postgres/evidence/table-plan.ts';
import {
  planVerification,
  type Verification,
  verifyEvidence,
} from '../../app/src/sources/postgres/evidence/verification.ts';
import type { VerifyStep } from '../../app/src/sources/postgres/evidence/verify-copy.ts';
import { inspectServer } from '../../app/src/sources/postgres/journal/receiver.ts';
import { WalShipper } from '../../app/src/sources/postgres/journal/wal-shipper.ts';
import { walPlace } from '../../app/src/sources/postgres/journal/wal-slices.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { KeptIndex } from '../../engine/src/repository/kept-index.ts';
import type { Repository } from '../../engine/src/repository/repository.ts';
import { PostgresScene } from '../scenes/postgres-scene.ts';
import type { RunningPostgres } from '../servers/postgres.ts';
import { JournalScene, Receiver } from './journal-scene.ts';

/** A server that is protected by a base and a journal, and what was proved of it. */
export class EvidenceScene implements AsyncDisposable {
  readonly server: RunningPostgres;
  readonly repository: Repository;
  readonly bases: PostgresScene;
  readonly #stack: AsyncDisposableStack;
  readonly #receiver: Receiver;
  readonly #shipper: WalShipper;

  private constructor(
    parts: Pick<EvidenceScene, 'server' | 'repository' | 'bases'>,
    receiver: Receiver,
    shipper: WalShipper,
    stack: AsyncDisposableStack,
  ) {
    this.server = parts.server;
    this.repository = parts.repository;
    this.bases = parts.bases;
    this.#receiver = receiver;
    this.#shipper = shipper;
    this.#stack = stack;
  }

  /** The journal runs before the base is taken. */
  static async protect(server: RunningPostgres): Promise<EvidenceScene> {
    await using opening = new AsyncDisposableStack();
    const bases = opening.use(new PostgresScene());
    const journal = opening.use(new JournalScene());
    const repository = await bases.create();
    const receiver = opening.use(await Receiver.start(server.url, journal.spool));
    const facts = await inspectServer(addressOf(server.url), AbortSignal.timeout(30_000));
    const shipper = new WalShipper({
      spool: receiver.spool,
      writer: {
        repository,
        index: new KeptIndex(repository),
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
    await bases.backUp(repository, server.url);
    return new EvidenceScene({ server, repository, bases }, receiver, shipper, opening.move());
  }

  async sample(options: Partial<SampleOptions> = {}): Promise<Evidence> {
    return await sampleServer({
      address: addressOf(this.server.url),
      clock: systemClock,
      random: Math.random,
      limits: USUAL_LIMITS,
      signal: new AbortController().signal,
      ...options,
    });
  }

  /** Brings all WAL that is there into the repository. */
  async ship(): Promise<void> {
    await this.#receiver.caughtUp(this.server);
    await this.#shipper.ship();
  }

  /** The same role at another server of this system. */
  at(place: Pick<ServerAddress, 'hosts'>): Pick<SampleOptions, 'address'> {
    return { address: { ...addressOf(this.server.url), ...place } };
  }

  async verify(
    evidence: Evidence,
    signal = new AbortController().signal,
    onStep: (step: VerifyStep) => void = () => undefined,
  ): Promise<Verification> {
    const view = await viewRepository(this.repository);
    const { indexed } = view;
    const plan = await planVerification(view, evidence, { clock: systemClock, signal });
    return await verifyEvidence(indexed, evidence, plan, {
      workDirectory: this.bases.base,
      clock: systemClock,
      signal,
      onStep,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

export function addressOf(url: string) {
  return serverAddress(parseServerUrl(url));
}

/** What was found of one database. */
export function ofDatabase(evidence: Evidence, name = 'postgres') {
  const found = evidence.databases.find((database) => database.name === name);
  if (found !== undefined && isSampled(found)) return found;
  throw new Failure('internal', `nothing was sampled of ${name}`);
}
