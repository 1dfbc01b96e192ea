import { join } from 'node:path';
import { Failure } from '@holdfast/engine';
import { type SpoolDisk, type SpoolFile, systemSpoolDisk } from './spool-disk.ts';
import { spoolFailure } from './spool-failure.ts';
import { OWN_FILES, PARTIAL, saveWhole, TEMPORARY } from './spool-files.ts';
import { assertOwner, makeDirectories, type SpoolOwner, takeSpoolLock } from './spool-possession.ts';
import { SpoolSegment } from './spool-segment.ts';

/**
 * A directory where a journal is durable before its source hears that it is: the local half of the promise "nothing
 * acknowledged is lost". One process has it at a time, for one source.
 *
 *     spool.json              whose journal this is
 *     spool.lock              held with flock(2) while a process has the spool; says which
 *     <segment>.partial       being filled, or left where its stream ended
 *     <segment>               whole, and never written again
 *     <name>.tmp              of a small file that was being saved; means nothing
 *
 * The order in which a piece of the journal becomes durable (SpoolSegment has the second half):
 *
 *     1. create <segment>.partial, give it its length
 *     2. fsync the directory              or a power cut takes the file with all that was acknowledged from it
 *     3. write, fdatasync                 all that has arrived by then at once
 *     4. acknowledge
 *     5. when it is full: rename to <segment>, fsync the directory, and only then acknowledge its last byte
 *
 * So a name without .partial is a promise: all of its content was durable before it had that name. A partial segment
 * promises only what was acknowledged, and the file does not say how much that is. Hence whoever opens a spool again
 * asks the source again from the beginning of the partial segment, and writes the same bytes over it: never shortened,
 * it keeps what was acknowledged even when the source is gone by then.
 */
export class Spool implements AsyncDisposable {
  readonly directory: string;
  readonly #disk: SpoolDisk;
  readonly #lock: SpoolFile;

  private constructor(directory: string, disk: SpoolDisk, lock: SpoolFile) {
    this.directory = directory;
    this.#disk = disk;
    this.#lock = lock;
  }

  /**
   * Opens a spool, makes it where there is none. Throws `spool.locked` when another process has it, `spool.foreign`
   * when it is another source's.
   */
  static async open({ directory, owner, disk = systemSpoolDisk }: SpoolOptions): Promise<Spool> {
    try {
      await makeDirectories(disk, directory);
      const lock = await takeSpoolLock(disk, directory);
      try {
        const spool = new Spool(directory, disk, lock);
        await assertOwner(disk, directory, owner, await spool.names());
        await spool.#settle();
        return spool;
      } catch (error) {
        await lock.close();
        throw error;
      }
    } catch (error) {
      throw spoolFailure(error, `open the spool ${directory}`, directory);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lock.close();
  }

  /** Names of all that is kept here: segments, partial ones (with their suffix), saved files. Sorted. */
  async names(): Promise<string[]> {
    const all = await this.#disk.list(this.directory);
    return all.filter((name) => !OWN_FILES.includes(name) && !name.endsWith(TEMPORARY)).sort();
  }

  pathOf(name: string): string {
    return join(this.directory, name);
  }

  /**
   * A segment to fill, from its beginning; one that was left partial keeps its content until it is written over.
   * Throws `spool.full` ahead of time when `length` bytes have no room: half a segment is of less use than a message.
   */
  async begin(name: string, length: number): Promise<SpoolSegment> {
    const path = this.pathOf(name + PARTIAL);
    try {
      const file = await this.#disk.openFile(path);
      try {
        // Its full length from the first moment on: every later fdatasync has only data to write, and what has not
        // arrived yet reads as zeros, which is how PostgreSQL pads a partial segment, too.
        if ((await file.length()) < length) {
          await this.#assertRoom(length);
          await file.setLength(length);
        }
        await this.#disk.syncDirectory(this.directory);
      } catch (error) {
        await file.close();
        throw error;
      }
      return new SpoolSegment({ disk: this.#disk, directory: this.directory, file, name, length });
    } catch (error) {
      throw spoolFailure(error, `begin ${name} in the spool`, path);
    }
  }

  /** Keeps a small file that comes as a whole, durably: a timeline's history, for example. */
  async saveFile(name: string, content: Uint8Array): Promise<void> {
    try {
      await saveWhole(this.#disk, this.directory, name, content);
    } catch (error) {
      throw spoolFailure(error, `save ${name} in the spool`, this.pathOf(name));
    }
  }

  /** Forgets what is safe elsewhere. Not synced: a name that comes back after a power cut is shipped once more. */
  async remove(names: Iterable<string>): Promise<void> {
    for (const name of names) {
      try {
        await this.#disk.unlink(this.pathOf(name));
      } catch (error) {
        throw spoolFailure(error, `remove ${name} from the spool`, this.pathOf(name));
      }
    }
  }

  async freeBytes(): Promise<number> {
    return await this.#disk.freeBytes(this.directory);
  }

  async #assertRoom(bytes: number): Promise<void> {
    const free = await this.freeBytes();
    if (free >= bytes) return;
    throw new Failure('spool.full', `the spool's disk has ${free} bytes left, too few for another segment`, {
      subject: this.directory,
      hint: 'Make room there. Nothing acknowledged is lost; the source keeps the rest, up to its own limit.',
    });
  }

  /** After kill -9 a partial segment's last bytes may be in memory only; from here on they are on the disk. */
  async #settle(): Promise<void> {
    for (const name of await this.#disk.list(this.directory)) {
      if (name.endsWith(TEMPORARY)) await this.#disk.unlink(this.pathOf(name));
      if (!name.endsWith(PARTIAL)) continue;
      const file = await this.#disk.openFile(this.pathOf(name));
      await file.syncData().finally(() => file.close());
    }
    await this.#disk.syncDirectory(this.directory);
  }
}

export interface SpoolOptions {
  /** Absolute. Best on another disk than the source's: what it holds survives what the source does not. */
  readonly directory: string;
  readonly owner: SpoolOwner;
  readonly disk?: SpoolDisk;
}
