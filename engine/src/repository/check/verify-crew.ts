import type { Worker } from 'node:worker_threads';
import type { MasterKey } from '../../format/types.ts';
import type { Id } from '../../kernel/id.ts';
import { startWorker } from '../../kernel/worker-thread.ts';
import type { SharedBlobTable } from '../blob-table.ts';
import type { SharedPackContents } from '../pack-contents.ts';
import type { PackVerdict } from './pack-verification.ts';

export interface VerifyWorkerSetup {
  readonly key: MasterKey;
  readonly table: SharedBlobTable;
  readonly contents: SharedPackContents;
}

export interface VerifyTask {
  readonly ticket: number;
  /** The pack's number in the index. */
  readonly pack: number;
  readonly name: Id;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface Verified {
  readonly ticket: number;
  readonly verdict: PackVerdict;
}

interface Member {
  readonly worker: Worker;
  busy: number;
}

/** Threads that verify packs. Each pack goes to whoever has the fewest; the caller bounds how many there are. */
export class VerifyCrew implements AsyncDisposable {
  readonly #members: Member[] = [];
  readonly #waiting = new Map<number, PromiseWithResolvers<PackVerdict>>();
  #nextTicket = 0;
  /** What ended a thread: nothing would answer from then on. */
  #failure: { readonly error: unknown } | undefined;

  constructor(threads: number, setup: VerifyWorkerSetup) {
    for (let thread = 0; thread < threads; thread += 1) this.#members.push(this.#start(setup));
  }

  /** Takes the bytes over: they are gone for the caller. */
  async verify(pack: number, name: Id, bytes: Uint8Array<ArrayBuffer>): Promise<PackVerdict> {
    if (this.#failure !== undefined) throw this.#failure.error;
    const member = this.#members.reduce((least, other) => (other.busy < least.busy ? other : least));
    const ticket = this.#nextTicket;
    this.#nextTicket += 1;
    const waiting = Promise.withResolvers<PackVerdict>();
    this.#waiting.set(ticket, waiting);
    member.busy += 1;
    member.worker.postMessage({ ticket, pack, name, bytes } satisfies VerifyTask, [bytes.buffer]);
    try {
      return await waiting.promise;
    } finally {
      member.busy -= 1;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map(({ worker }) => worker.terminate()));
  }

  #start(setup: VerifyWorkerSetup): Member {
    const worker = startWorker(import.meta.url, './verify-worker', setup);
    worker.on('message', ({ ticket, verdict }: Verified) => {
      this.#waiting.get(ticket)?.resolve(verdict);
      this.#waiting.delete(ticket);
    });
    worker.on('error', (error) => {
      this.#failure ??= { error };
      for (const { reject } of this.#waiting.values()) reject(error);
    });
    return { worker, busy: 0 };
  }
}
