import { setImmediate } from 'node:timers/promises';
import { mapConcurrently } from '../../kernel/concurrency.ts';
import type { Id } from '../../kernel/id.ts';
import { openPosix } from '../../kernel/posix/posix.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { type BytePath, toText } from '../backup/byte-path.ts';
import { CounterRow } from './counters.ts';
import { Directories } from './directories.ts';
import { LateEntries } from './late-entries.ts';
import { Ledger } from './ledger.ts';
import { Metadata, type Ownership } from './metadata.ts';
import { NotKeptTally } from './not-kept-tally.ts';
import type { Overwrite } from './overwrite.ts';
import { PackFiller } from './pack-filler.ts';
import { PackPlan } from './pack-plan.ts';
import { Placement } from './placement.ts';
import type { NotKeptKind, RestoreProblem } from './problem.ts';
import type { FilesTask } from './protocol.ts';
import { RestoreCrew } from './restore-crew.ts';
import type { RestoreSelection } from './selection.ts';
import { type TreeSource, walkTrees } from './tree-walk.ts';

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
 * One restore, in phases: walk the trees and make directories, while packs that are complete are written already; look at
 * files that were there; the other packs; links, devices and symlinks; attributes of directories; read back. The main
 * thread plans and loads packs, the workers open blobs and write.
 */
export class RestoreRun {
  readonly #indexed: IndexedRepository;
  readonly #options: RunOptions;
  readonly #ledger = Ledger.create();
  readonly #counters: CounterRow;
  readonly #tally: NotKeptTally;
  readonly #posix = openPosix();
  #damaged: PackFiller['damaged'] = () => undefined;

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
    const plan = new PackPlan(this.#indexed.index.table);
    const crew = this.#startCrew(target ?? '/', stop);
    const filler = new PackFiller(this.#indexed, crew, signal);
    this.#damaged = filler.damaged.bind(filler);
    try {
      filler.begin(() => plan.takeComplete());
      const placement = await this.#walk(directories, plan, () => filler.goOn());
      if (!dryRun) await this.#workOff({ placement, crew, directories, plan, filler });
    } catch (error) {
      stopWorkers();
      throw error;
    } finally {
      signal?.removeEventListener('abort', stopWorkers);
      await filler.stop();
      await crew.end();
      directories.close();
    }
  }

  /** `between` is called between two trees. */
  async #walk(directories: Directories, plan: PackPlan, between: () => void): Promise<Placement> {
    const { overwrite, ownership, dryRun, tree, selection, signal, target } = this.#options;
    const problem = (found: RestoreProblem) => {
      this.#counters.add('problems', 1);
      this.#options.problem(found);
    };
    const placement = new Placement({
      ledger: this.#ledger,
      directories,
      table: this.#indexed.index.table,
      plan,
      posix: this.#posix,
      counters: this.#counters,
      overwrite,
      ownership,
      dryRun,
      problem,
      notKept: this.#tally.add.bind(this.#tally),
    });
    if (target !== undefined) placement.openTarget();
    let breathedAt = performance.now();
    const loadTree: TreeSource['loadTree'] = async (id, signal, next) => {
      if (!dryRun) between();
      // Trees that are in memory already come without a turn of the event loop, in which the workers' messages and
      // the signal arrive.
      if (performance.now() - breathedAt > BREATH_MS) {
        await setImmediate();
        breathedAt = performance.now();
      }
      return await this.#indexed.loadTree(id, signal, next);
    };
    await walkTrees(
      { loadTree },
      {
        tree,
        root: placement.root,
        visitor: placement,
        selection,
        problem,
        signal,
      },
    );
    return placement;
  }

  async #workOff({ placement, crew, directories, plan, filler }: Work): Promise<void> {
    const { signal, verify } = this.#options;
    await this.#lookAtExisting(placement, crew);
    await this.#runFiles(crew, 'make', placement.empty);
    await filler.finish(() => plan.takeAny());
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
      damaged: (uses, reason) => this.#damaged(uses, reason),
    });
  }
}

interface Work {
  readonly placement: Placement;
  readonly crew: RestoreCrew;
  readonly directories: Directories;
  readonly plan: PackPlan;
  readonly filler: PackFiller;
}

const TASKS_AHEAD = 2;
const BATCH = 128;
const BREATH_MS = 10;

function* batches(records: readonly number[]): Iterable<readonly number[]> {
  for (let at = 0; at < records.length; at += BATCH) yield records.slice(at, at + BATCH);
}
