import { setPriority } from 'node:os';
import { type SystemLibrary, systemError } from './library.ts';

export interface Priority {
  /** Niceness, 0…19: the higher, the less CPU when others want it. */
  readonly nice?: number;
  /** `low` comes after all others at the disk, `idle` only when nobody else wants it. */
  readonly io?: 'low' | 'idle';
}

/**
 * Makes room for others on this machine. On Linux it concerns the calling thread and those it starts afterwards, so
 * call it before any worker is started. Without privilege there is no way back.
 */
export type LowerPriority = (priority: Priority) => void;

export function openPriority(library: SystemLibrary): LowerPriority {
  const lowerIo = library.platform === 'linux' ? linuxIo(library) : darwinIo(library);
  return ({ nice, io }) => {
    if (nice !== undefined) setPriority(nice);
    if (io !== undefined) lowerIo(io);
  };
}

/** ioprio_set(2) has no wrapper in the C library. The class stands above bit 13, the level 0…7 of best-effort below. */
function linuxIo(library: SystemLibrary): (io: 'low' | 'idle') => void {
  const syscall = library.bind('long syscall(long number, long which, long who, long priority)');
  const [ioprioSet, process, thisThread] = [library.arch === 'x64' ? 251 : 30, 1, 0];
  const [bestEffort, idle] = [2 << 13, 3 << 13];
  return (io) => {
    if (syscall(ioprioSet, process, thisThread, io === 'idle' ? idle : bestEffort | 7) < 0) {
      throw systemError(library.errno(), 'ioprio_set');
    }
  };
}

function darwinIo(library: SystemLibrary): (io: 'low' | 'idle') => void {
  const setPolicy = library.bind('int setiopolicy_np(int type, int scope, int policy)');
  const [disk, wholeProcess, throttle, utility] = [0, 0, 3, 4];
  return (io) => {
    if (setPolicy(disk, wholeProcess, io === 'idle' ? throttle : utility) < 0) {
      throw systemError(library.errno(), 'setiopolicy_np');
    }
  };
}
