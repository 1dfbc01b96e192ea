import { constants } from 'node:os';
import { cString, type SystemLibrary, systemError } from './library.ts';

/** Makes what is neither file, directory nor link. */
export interface SpecialNodes {
  /**
   * `mode` is a whole st_mode: S_IFIFO, S_IFCHR or S_IFBLK with permissions, of which the umask is taken away.
   * `device` is an st_rdev; it counts for the latter two, which need privilege.
   */
  make(path: Buffer, mode: number, device: bigint): void;
}

export function openSpecialNodes(library: SystemLibrary): SpecialNodes {
  const mknod = library.platform === 'linux' ? linuxMknod(library) : library.bind(DARWIN_MKNOD);
  return {
    make(path, mode, device) {
      // The kernel takes 32 bits (12 of the major number, 20 of the minor), where st_rdev has the same places.
      if (BigInt.asUintN(32, device) !== device) throw systemError(constants.errno.EINVAL, 'mknod', path);
      if (mknod(cString(path), mode, Number(device)) < 0) throw systemError(library.errno(), 'mknod', path);
    },
  };
}

const DARWIN_MKNOD = 'int mknod(const void *path, uint16_t mode, uint32_t device)';

/** glibc has `mknod` as a symbol only from 2.33 on; the system call was always there. */
function linuxMknod(library: SystemLibrary): (path: Buffer, mode: number, device: number) => number {
  const syscall = library.bind(
    'long syscall(long number, long directory, const void *path, long mode, long device)',
  );
  const [mknodat, currentDirectory] = [library.arch === 'x64' ? 259 : 33, -100];
  return (path, mode, device) => syscall(mknodat, currentDirectory, path, mode, device);
}
