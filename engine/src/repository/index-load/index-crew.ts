import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import type { MasterKey } from '../../format/types.ts';
import { startWorker } from '../../kernel/worker-thread.ts';
import type { BlobTable } from '../blob-table.ts';
import type { Piece } from './pieces.ts';
import type {
  FromIndexWorker,
  IndexAnswers,
  IndexTask,
  IndexWorkerBirth,
  ScannedFile,
  ToIndexWorker,
} from './protocol.ts';

/** Each takes some 40 MB, and more than these the main thread cannot feed. */
const MOST_WORKERS = 4;

/** The threads that fill a blob table while an index is loaded, seen from the main thread. */
export class IndexCrew implements AsyncDisposable {
  readonly #members: Member[];

  constructor(key: MasterKey) {
    const count = Math.min(availableParallelism(), MOST_WORKERS);
    this.#members = Array.from({ length: count }, () => new Member(key));
  }

  /** What is asked for from now on is about this table. */
  attach({ shared }: BlobTable): void {
    for (const { worker } of this.#members)
      worker.postMessage({ kind: 'attach', table: shared } satisfies ToIndexWorker);
  }

  /**
   * Reads an index file from its bytes, which are gone afterwards. Undefined when it is damaged or unusual; else `add` is
   * to be called with the numbers of its packs.
   */
  async scan(
    name: string,
    sealed: Uint8Array<ArrayBuffer>,
  ): Promise<(ScannedFile & { add(numbers: Uint32Array): Promise<IndexAnswers['add']> }) | undefined> {
    const member = this.#idlest();
    const ticket = member.nextTicket();
    const scanned = await member.ask({ kind: 'scan', name, sealed }, ticket, [sealed.buffer]);
    if (scanned === undefined) return undefined;
    return {
      ...scanned,
      add: (numbers) => member.ask({ kind: 'add', scan: ticket, numbers }, member.nextTicket()),
    };
  }

  async save(descriptor: number, piece: Piece): Promise<Uint8Array> {
    const member = this.#idlest();
    return await member.ask({ kind: 'save', descriptor, piece }, member.nextTicket());
  }

  /** Whether the piece was the right one, and is in the table now. */
  async restore(descriptor: number, piece: Piece, mac: Uint8Array): Promise<boolean> {
    const member = this.#idlest();
    return await member.ask({ kind: 'restore', descriptor, piece, mac }, member.nextTicket());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map(({ worker }) => worker.terminate()));
  }

  #idlest(): Member {
    return this.#members.reduce((idlest, member) => (member.busy < idlest.busy ? member : idlest));
  }
}

class Member {
  readonly worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<never>>();
  #tickets = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(key: MasterKey) {
    this.worker = startWorker(import.meta.url, './index-worker', { key } satisfies IndexWorkerBirth);
    this.worker.on('message', ({ ticket, answer }: FromIndexWorker) => {
      this.#waiting.get(ticket)?.resolve(answer as never);
      this.#waiting.delete(ticket);
    });
    this.worker.on('error', (error) => {
      this.#failure = { error };
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  get busy(): number {
    return this.#waiting.size;
  }

  nextTicket(): number {
    this.#tickets += 1;
    return this.#tickets;
  }

  async ask<Kind extends IndexTask['kind']>(
    task: Extract<IndexTask, { kind: Kind }>,
    ticket: number,
    transfer: ArrayBuffer[] = [],
  ): Promise<IndexAnswers[Kind]> {
    if (this.#failure !== undefined) throw this.#failure.error;
    const answer = Promise.withResolvers<never>();
    this.#waiting.set(ticket, answer);
    this.worker.postMessage({ ...task, ticket }, transfer);
    return await answer.promise;
  }
}
