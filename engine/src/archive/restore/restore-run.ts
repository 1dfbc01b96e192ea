import { mapConcurrently } from '../../kernel/concurrency.ts';
import { isFailure } from '../../kernel/failure.ts';
import type { Id } from '../../kernel/id.ts';
import { openPosix } from '../../kernel/posix/posix.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { type BytePath, toText } from '../backup/byte-path.ts';
import { eachBlob, rescueBlob } from './blob-rescue.ts';
import { CounterRow } from './counters.ts';
import { Directories } from './directories.ts';
import { LateEntries } from './late-entries.ts';
import { Ledger } from './ledger.ts';
import { Metadata, type Ownership } from './metadata.ts';
import { NotKeptTally } from './not-kept-tally.ts';
import type { Overwrite } from './overwrite.ts';
import { PackPlan, rangesOf } from './pack-plan.ts';
import { Placement } from './placement.ts';
import { type NotKeptKind, type RestoreProblem, wordsOf } from './problem.ts';
import type { FilesTask, PackRange, Uses } from './protocol.ts';
import { RestoreCrew } from './restore-crew.ts';
import type { RestoreSelection } from './selection.ts';
import { walkTrees } from './tree-walk.ts';

export interface RunOptions {
  /** Absolute; undefined in a dry run whose target does not exist. */
  readonly target: BytePath | undefined;
  readonly tree: Id;
  readonly selection: RestoreSelection;
  readonly overwrite: Overwrite;
  readonly ownership: Ownership;
  readonly sparse: boolean;
  readonly salvage: boolean;
  readonly verify: boolean;
  readonly dryRun: boolean;
  /** 0 in a dry run. */
  readonly workers: number;
  readonly counters: SharedArrayBuffer;
  readonly signal: AbortSignal | undefined;
  readonly problem: (problem: RestoreProblem) => void;
  readonly notKept: (kind: NotKeptKind, reason: string) => void;
}

/**
 * One restore, in phases: walk the trees and make directories; look at files that are there already; fill files pack by
 * pack; links, devices and symlinks; attributes of directories; read back. The main thread plans and loads packs, the
 * workers open blobs and write.
 */
export class RestoreRun {
  readonly #indexed: IndexedRepository;
  readonly #options: RunOptions;
  readonly #ledger = Ledger.create();
  readonly #counters: CounterRow;
  readonly #tally: NotKeptTally;
  readonly #posix = openPosix();
  readonly #damaged: { uses: Uses; reason: string }[] = [];

  constructor(indexed: IndexedRepository, options: RunOptions) {
    this.#indexed = indexed;
    this.#options = options;
    this.#counters = new CounterRow(options.counters, options.workers);
    this.#tally = new NotKeptTally(this.#counters, options.notKept);
  }

  async restore(): Promise<void> {
    const { target, dryRun, signal } = this.#options;
    const stop = new SharedArrayBuffer(4);
    const stopWorkers = () => {
      Atomics.store(new Int32Array(stop), 0, 1);
    };
    signal?.addEventListener('abort', stopWorkers);
    // A dry run without a target never asks for a directory: there is nothing in it.
    const directories = new Directories(this.#ledger, target ?? '/');
    const crew = this.#startCrew(target ?? '/', stop);
    try {
      const placement = await this.#walk(directories);
      if (!dryRun) await this.#workOff(placement, crew, directories);
    } catch (error) {
      stopWorkers();
      throw error;
    } finally {
      signal?.removeEventListener('abort', stopWorkers);
      await crew.end();
      directories.close();
    }
  }

  async #walk(directories: Directories): Promise<Placement> {
    const { overwrite, ownership, dryRun, tree, selection, signal, target } = this.#options;
    const problem = (found: RestoreProblem) => {
      this.#counters.add('problems', 1);
      this.#options.problem(found);
    };
    const placement = new Placement({
      ledger: this.#ledger,
      directories,
      table: this.#indexed.index.table,
      posix: this.#posix,
      counters: this.#counters,
      overwrite,
      ownership,
      dryRun,
      problem,
      notKept: this.#tally.add.bind(this.#tally),
    });
    if (target !== undefined) placement.openTarget();
    await walkTrees(this.#indexed, {
      tree,
      root: placement.root,
      visitor: placement,
      selection,
      problem,
      signal,
    });
    return placement;
  }

  async #workOff(placement: Placement, crew: RestoreCrew, directories: Directories): Promise<void> {
    const { signal, verify } = this.#options;
    await this.#lookAtExisting(placement, crew);
    await this.#runFiles(crew, 'make', placement.empty);
    await this.#fill(placement.uses.words, crew);
    this.#finish(placement, directories);
    if (verify) await this.#runFiles(crew, 'verify', placement.files);
    signal?.throwIfAborted();
  }

  async #lookAtExisting(placement: Placement, crew: RestoreCrew): Promise<void> {
    for (const kind of ['trust', 'compare'] as const) {
      await this.#runFiles(crew, kind, placement[kind], (record, positions) =>
        placement.use(record, new Set(positions)),
      );
    }
  }

  /** Has workers do the same with many files, some at a time. */
  async #runFiles(
    crew: RestoreCrew,
    kind: FilesTask['kind'],
    records: readonly number[],
    differs: (record: number, positions: Uint32Array) => void = () => undefined,
  ): Promise<void> {
    await mapConcurrently(batches(records), crew.size * TASKS_AHEAD, async (batch) => {
      this.#options.signal?.throwIfAborted();
      const differing = await crew.do({ kind, records: new Uint32Array(batch) });
      for (const { record, positions } of differing) differs(record, positions);
    });
  }

  async #fill(uses: Uint32Array, crew: RestoreCrew): Promise<void> {
    const { table } = this.#indexed.index;
    const plan = new PackPlan(uses, table);
    // What is loaded and not yet written is the memory that this takes: some packs for each worker.
    await mapConcurrently(plan.packs, crew.size + PACKS_AHEAD, async (pack) => {
      this.#options.signal?.throwIfAborted();
      const packUses = plan.usesOf(pack);
      const ranges = await this.#load(pack, packUses);
      if (ranges !== undefined) {
        const transfer = [packUses.buffer, ...ranges.map(({ bytes }) => bytes.buffer)];
        await crew.do({ kind: 'pack', ranges, uses: packUses }, transfer);
      }
      await this.#rescue(crew);
    });
  }

  /** The bytes of a pack that are needed; undefined when it cannot be read, and its blobs are on their own. */
  async #load(pack: number, uses: Uses): Promise<PackRange[] | undefined> {
    const { index, repository } = this.#indexed;
    const name = index.packs[pack] as Id;
    const { signal } = this.#options;
    try {
      const ranges: PackRange[] = [];
      for (const range of rangesOf(uses, index.table)) {
        ranges.push({
          offset: range.offset,
          bytes: await repository.backend.load({ type: 'pack', name }, range, signal),
        });
      }
      return ranges;
    } catch (error) {
      if (!isFailure(error) || error.code === 'interrupted' || error.code === 'backend.unreachable')
        throw error;
      for (const each of eachBlob(uses)) this.#damaged.push({ uses: each, reason: wordsOf(error) });
      return undefined;
    }
  }

  async #rescue(crew: RestoreCrew): Promise<void> {
    for (let next = this.#damaged.pop(); next !== undefined; next = this.#damaged.pop()) {
      await crew.do(await rescueBlob(this.#indexed, next.uses, next.reason, this.#options.signal));
    }
  }

  #finish(placement: Placement, directories: Directories): void {
    const { ownership, signal, target } = this.#options;
    const notKept = this.#tally.add.bind(this.#tally);
    const sources = new Directories(this.#ledger, target ?? '/');
    const metadata = new Metadata({ posix: this.#posix, ledger: this.#ledger, ownership, notKept });
    const late = new LateEntries({
      ledger: this.#ledger,
      directories,
      sources,
      metadata,
      posix: this.#posix,
      counters: this.#counters,
      notKept,
      problem: (record, kind, message) => {
        this.#counters.add('problems', 1);
        this.#options.problem({ path: toText(this.#ledger.pathOf(record)), kind, message });
      },
    });
    try {
      late.make(placement.late, () => signal?.throwIfAborted());
      late.finishDirectories(placement.directories);
    } finally {
      sources.close();
    }
  }

  #startCrew(target: BytePath, stop: SharedArrayBuffer): RestoreCrew {
    const { workers, ownership, sparse, salvage, counters, problem } = this.#options;
    const setup = {
      key: this.#indexed.repository.key,
      table: this.#indexed.index.table.shared,
      ledger: this.#ledger.shared,
      counters,
      stop,
      target,
      ownership,
      sparse,
      salvage,
    };
    const setups = Array.from({ length: workers }, (_, worker) => ({ ...setup, worker }));
    return new RestoreCrew(setups, toText(target), {
      problem,
      notKept: this.#options.notKept,
      damaged: (uses, reason) => this.#damaged.push({ uses, reason }),
    });
  }
}

const TASKS_AHEAD = 2;
const PACKS_AHEAD = 3;
const BATCH = 128;

function* batches(records: readonly number[]): Iterable<readonly number[]> {
  for (let at = 0; at < records.length; at += BATCH) yield records.slice(at, at + BATCH);
}
