import type { Worker } from 'node:worker_threads';
import type { BlobType, MasterKey, PackedBlob } from '../../format/types.ts';
import { startWorker } from '../../kernel/worker-thread.ts';
import type { SharedBlobTable } from '../blob-table.ts';
import type { FinishedPack } from '../packer.ts';

export interface TransferSetup {
  readonly sourceKey: MasterKey;
  readonly targetKey: MasterKey;
  /** Of the target's format. */
  readonly version: 1 | 2;
  /** In bytes. */
  readonly packSize: number;
  /** What the target has: a blob that is in it is not packed once more. */
  readonly table: SharedBlobTable;
}

export type ToTransferWorker =
  /** Blobs of one pack as they are stored; `bytes` begins at `offset` of the pack. */
  | {
      readonly type: 'run';
      readonly ticket: number;
      readonly blobs: readonly PackedBlob[];
      readonly bytes: Uint8Array<ArrayBuffer>;
      readonly offset: number;
    }
  /** A verified content. */
  | {
      readonly type: 'content';
      readonly ticket: number;
      readonly blobType: BlobType;
      readonly bytes: Uint8Array;
    }
  | { readonly type: 'flush'; readonly ticket: number }
  /** A pack's memory, to be used again: a fresh one would cost the kernel as many zeroed pages. */
  | { readonly type: 'buffer'; readonly buffer: ArrayBuffer }
  | { readonly type: 'close' };

export type FromTransferWorker =
  | { readonly type: 'pack'; readonly pack: FinishedPack }
  | { readonly type: 'done'; readonly ticket: number; readonly damaged: readonly number[] };

type Task = Extract<ToTransferWorker, { readonly ticket: number }>;
type WithoutTicket<T> = T extends Task ? Omit<T, 'ticket'> : never;

interface Member {
  readonly worker: Worker;
  readonly ended: Promise<unknown>;
  readonly saves: Set<Promise<void>>;
  busy: number;
}

/**
 * Threads that rewrite blobs. Each task goes to whoever has the fewest; the caller bounds how many there are. The
 * first thing that goes wrong, in a thread or while a pack is saved, is what every task fails with from then on.
 */
export class TransferCrew {
  readonly #members: Member[] = [];
  readonly #savePack: (pack: FinishedPack) => Promise<void>;
  readonly #waiting = new Map<number, PromiseWithResolvers<readonly number[]>>();
  #nextTicket = 0;
  #failure: { readonly error: unknown } | undefined;

  /** `savePack` resolves when the pack is durable. */
  constructor(threads: number, setup: TransferSetup, savePack: (pack: FinishedPack) => Promise<void>) {
    this.#savePack = savePack;
    for (let thread = 0; thread < threads; thread += 1) this.#members.push(this.#start(setup));
  }

  /** Takes the bytes over. Returns the positions of damaged blobs, once there is room in memory for another task. */
  async rewrite(run: {
    readonly blobs: readonly PackedBlob[];
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly offset: number;
  }): Promise<readonly number[]> {
    return await this.#do(this.#idlest(), { type: 'run', ...run }, [run.bytes.buffer]);
  }

  async save(blobType: BlobType, bytes: Uint8Array): Promise<void> {
    await this.#do(this.#idlest(), { type: 'content', blobType, bytes });
  }

  /** Resolves when all that was handed in is in durable packs. */
  async flush(): Promise<void> {
    await Promise.all(this.#members.map((member) => this.#do(member, { type: 'flush' })));
    await Promise.all(this.#members.flatMap(({ saves }) => [...saves]));
    this.#throwFailure();
  }

  /** Ends the threads after what they are doing, and waits until no save is under way any more. */
  async stop(): Promise<void> {
    for (const { worker } of this.#members) worker.postMessage({ type: 'close' } satisfies ToTransferWorker);
    await Promise.all(this.#members.map(({ ended }) => ended));
    await Promise.all(this.#members.flatMap(({ saves }) => [...saves]));
  }

  async #do(member: Member, task: WithoutTicket<Task>, transfer: ArrayBuffer[] = []) {
    this.#throwFailure();
    const ticket = this.#nextTicket;
    this.#nextTicket += 1;
    const waiting = Promise.withResolvers<readonly number[]>();
    this.#waiting.set(ticket, waiting);
    member.busy += 1;
    try {
      member.worker.postMessage({ ...task, ticket }, transfer);
      const damaged = await waiting.promise;
      while (member.saves.size > MOST_UNSAVED) await Promise.race(member.saves);
      this.#throwFailure();
      return damaged;
    } finally {
      member.busy -= 1;
    }
  }

  #idlest(): Member {
    return this.#members.reduce((least, other) => (other.busy < least.busy ? other : least));
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #start(setup: TransferSetup): Member {
    const worker = startWorker(import.meta.url, './transfer-worker', setup);
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    const member: Member = { worker, ended, saves: new Set(), busy: 0 };
    worker.on('message', (message: FromTransferWorker) => {
      if (message.type === 'pack') {
        this.#save(member, message.pack);
      } else {
        this.#waiting.get(message.ticket)?.resolve(message.damaged);
        this.#waiting.delete(message.ticket);
      }
    });
    worker.on('error', (error) => this.#fail(error));
    return member;
  }

  /** Never rejects: what goes wrong is every task's failure. */
  #save({ worker, saves }: Member, pack: FinishedPack): void {
    // Nothing more is begun once something went wrong: the lock may be what was lost.
    if (this.#failure !== undefined) return;
    const saving: Promise<void> = this.#savePack(pack)
      .then(() => {
        const { buffer } = pack.bytes;
        worker.postMessage({ type: 'buffer', buffer } satisfies ToTransferWorker, [buffer]);
      })
      .catch((error: unknown) => this.#fail(error))
      .finally(() => saves.delete(saving));
    saves.add(saving);
  }
}

/** Packs of one thread that may be on their way to the backend before it gets more to do. */
const MOST_UNSAVED = 1;
