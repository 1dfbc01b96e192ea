import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadLibrary, systemError } from '../../engine/src/kernel/posix/library.ts';

/**
 * An ext4 file system of its own, in an image file on a loop device, whose power can be cut.
 *
 * Copying the image file while it is written to would not be a cut: the copy takes time, so it would mix an older
 * state of the one block with a newer of another, and lose what a disk would not. Instead the kernel is told to shut
 * the file system down at once without flushing its journal (the ioctl that the file system developers' own tests
 * use). What was in memory only is gone from that instant, whatever had reached the disk is there, and every call
 * that comes later fails with EIO. Mounting it again replays the journal, as after a real cut.
 *
 * What this does not show is a disk that loses its own write cache in spite of being told to flush it.
 */
export class LoopDisk implements Disposable {
  readonly #base = mkdtempSync(join(tmpdir(), 'holdfast-disk-'));
  readonly #image = join(this.#base, 'image');
  /** Where the file system is to be seen while the power is on. */
  readonly path = join(this.#base, 'mounted');
  #mounted = false;

  /** Needs root and loop devices; throws what `mkfs` or `mount` said where they are not to be had. */
  constructor(mebibytes = 128) {
    try {
      writeFileSync(this.#image, '');
      truncateSync(this.#image, mebibytes * 1024 * 1024);
      mkdirSync(this.path);
      execFileSync('mkfs.ext4', ['-q', '-F', this.#image], { stdio: 'pipe' });
      this.powerOn();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  powerOn(): void {
    execFileSync('mount', ['-o', 'loop', this.#image, this.path], { stdio: 'pipe' });
    this.#mounted = true;
  }

  /** From here on nothing reaches the disk any more. Whoever has files open is to be killed before `powerOff`. */
  cutPower(): void {
    const library = loadLibrary();
    if (typeof library === 'string') throw new Error(library);
    const ioctl = library.bind('int ioctl(int file, unsigned long request, void *argument)');
    const directory = openSync(this.path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      if (ioctl(directory, SHUT_DOWN, WITHOUT_FLUSHING) !== 0) throw systemError(library.errno(), 'ioctl');
    } finally {
      closeSync(directory);
    }
  }

  powerOff(): void {
    if (this.#mounted) execFileSync('umount', [this.path], { stdio: 'pipe' });
    this.#mounted = false;
  }

  [Symbol.dispose](): void {
    this.powerOff();
    rmSync(this.#base, { recursive: true, force: true });
  }
}

/** EXT4_IOC_SHUTDOWN: _IOR('X', 125, __u32) in fs/ext4/ext4.h; 2 is EXT4_GOING_FLAGS_NOLOGFLUSH. */
const SHUT_DOWN = 0x8004_587d;
const WITHOUT_FLUSHING = new Uint8Array(new Uint32Array([2]).buffer);
