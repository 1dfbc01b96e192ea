import { type FileHandle, open, stat } from 'node:fs/promises';
import { type Clock, type Failure, isFailure, type Random, type StoredSnapshot } from '@holdfast/engine';
import { rollUp } from '../../../journal/roll-up.ts';
import { type SliceWriter, saveSlice } from '../../../journal/slice.ts';
import type { Spool } from '../../../journal/spool.ts';
import { spoolFailure } from '../../../journal/spool-failure.ts';
import { PARTIAL } from '../../../journal/spool-files.ts';
import type { Lsn } from '../wal/lsn.ts';
import { WalReach } from '../wal/reach.ts';
import { parseWalName, startOfSegment } from '../wal/segment.ts';
import { neededFile } from './start-position.ts';
import { reachTags, rolledUpTags } from './wal-slices.ts';

export interface ShipperOptions {
  readonly spool: Spool;
  readonly writer: SliceWriter;
  readonly segmentSize: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds between two slices: half of the RPO at most, since the next one has to be through by then. */
  readonly interval: number;
  readonly onEvent: (event: ShipperEvent) => void;
  readonly signal: AbortSignal;
}

export type ShipperEvent =
  /** Looks for what is new. */
  | { readonly kind: 'begun' }
  /** Something is: when the oldest of it was written, milliseconds since the epoch. */
  | { readonly kind: 'waiting'; readonly oldest: number }
  | {
      readonly kind: 'shipped';
      readonly snapshot: StoredSnapshot;
      readonly files: number;
      readonly took: number;
    }
  /** All that was in the spool when it last began is in the repository. */
  | { readonly kind: 'caught-up' }
  | { readonly kind: 'rolled-up'; readonly saved: number; readonly forgotten: number }
  /** The spool keeps it all; it is tried again after so many milliseconds. */
  | { readonly kind: 'not-shipped'; readonly failure: Failure; readonly retryIn: number };

/** Carries the spool into the repository until the signal aborts. */
export class WalShipper {
  readonly #options: ShipperOptions;
  /** Size and change time of what lies in the repository, by name. */
  readonly #shipped = new Map<string, string>();

  /** Hours since the epoch. */
  #rolledUpIn: number | undefined;

  constructor(options: ShipperOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { clock, interval, random, signal, onEvent } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      let pause = interval;
      try {
        await this.ship();
        await this.#rollUp();
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        const failure = spoolFailure(error, 'read the spool', this.#options.spool.directory);
        if (!isFailure(failure)) throw error;
        // Sooner than at the next interval, since what waits grows older; a storage that is down is not hammered either.
        pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures) * (0.5 + random() / 2);
        failures += 1;
        onEvent({ kind: 'not-shipped', failure, retryIn: pause });
      }
      await clock.sleep(pause, signal).catch(() => undefined);
    }
  }

  /** Ships all that is new, in slices of a bounded size: each is one short lock. */
  async ship(): Promise<void> {
    while (await this.#shipSome());
    this.#options.onEvent({ kind: 'caught-up' });
  }

  /** Answers whether there is more. */
  async #shipSome(): Promise<boolean> {
    const { spool, writer, clock, onEvent } = this.#options;
    onEvent({ kind: 'begun' });
    const fresh = await this.#fresh(await spool.names());
    const some = fresh.slice(0, MOST_FILES);
    if (some.length === 0) return false;
    onEvent({ kind: 'waiting', oldest: Math.min(...fresh.map(({ modified }) => modified)) });
    const startedAt = clock.now();
    const reaches = new Map<string, Lsn>();
    const snapshot = await saveSlice(writer, {
      files: some.map((file) => ({ ...file, content: this.#contentOf(file.name, reaches) })),
      time: Math.max(...some.map(({ modified }) => modified)),
      tags: () => reachTags(reaches),
    });
    for (const { name, version } of some) this.#shipped.set(name, version);
    await this.#tidy();
    onEvent({ kind: 'shipped', snapshot, files: some.length, took: clock.now() - startedAt });
    return fresh.length > some.length;
  }

  /** Files leave the spool when a saved snapshot has them; what a receiver needs to go on stays. */
  async #tidy(): Promise<void> {
    const { spool, segmentSize } = this.#options;
    const names = await spool.names();
    const needed = neededFile(names, segmentSize);
    const needless = names.filter((name) => {
      const file = parseWalName(name, segmentSize);
      return this.#shipped.has(name) && name !== needed && file !== undefined && file.kind !== 'history';
    });
    await spool.remove(needless);
    const left = new Set(names).difference(new Set(needless));
    for (const name of this.#shipped.keys()) if (!left.has(name)) this.#shipped.delete(name);
  }

  /** Once an hour, and at the start: it reads every slice's tree, and only what is over is rolled up. */
  async #rollUp(): Promise<void> {
    const hour = Math.floor(this.#options.clock.now() / HOUR_MS);
    if (hour === this.#rolledUpIn) return;
    const { saved, forgotten } = await rollUp(this.#options.writer, rolledUpTags);
    this.#rolledUpIn = hour;
    if (saved + forgotten > 0) this.#options.onEvent({ kind: 'rolled-up', saved, forgotten });
  }

  /**
   * A partial segment is read as it is, and while it is written to. What lies behind the last acknowledged byte is WAL
   * that is on its way, or zeros: recovery ends at the first record that is not whole, by its checksum.
   */
  async *#contentOf(name: string, reaches: Map<string, Lsn>): AsyncGenerator<Buffer> {
    const { segmentSize } = this.#options;
    const file = parseWalName(name, segmentSize);
    await using handle = await this.#open(name);
    if (file?.kind !== 'partial') return yield* blocks(handle);
    const reach = new WalReach(startOfSegment(file.number, segmentSize));
    for await (const block of blocks(handle)) {
      reach.pass(block);
      yield block;
    }
    reaches.set(name, reach.reached);
  }

  /** A segment that was partial when we looked may be whole by now, and that is as good. */
  async #open(name: string): Promise<FileHandle> {
    const path = this.#options.spool.pathOf(name);
    try {
      return await open(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || !path.endsWith(PARTIAL)) throw error;
      return await open(path.slice(0, -PARTIAL.length));
    }
  }

  async #fresh(names: readonly string[]) {
    const fresh = [];
    for (const name of names) {
      if (parseWalName(name, this.#options.segmentSize) === undefined) continue;
      const found = await this.#look(name);
      if (found !== undefined && this.#shipped.get(name) !== found.version) fresh.push({ name, ...found });
    }
    return fresh;
  }

  /** Undefined when the receiver has just completed it: it has another name then, for the next time. */
  async #look(name: string) {
    try {
      const { mtimeMs, size } = await stat(this.#options.spool.pathOf(name));
      return { modified: mtimeMs, size, version: `${size} ${mtimeMs}` };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}

/** A file in blocks that are full but for the last. */
async function* blocks(handle: FileHandle): AsyncGenerator<Buffer> {
  for (;;) {
    const block = Buffer.allocUnsafe(BLOCK_BYTES);
    let filled = 0;
    while (filled < BLOCK_BYTES) {
      const { bytesRead } = await handle.read(block, filled, BLOCK_BYTES - filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    if (filled > 0) yield block.subarray(0, filled);
    if (filled < BLOCK_BYTES) return;
  }
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
const HOUR_MS = 3_600_000;
const BLOCK_BYTES = 1024 * 1024;
/** 1 GiB in segments of the usual size: some seconds under the lock. */
const MOST_FILES = 64;
