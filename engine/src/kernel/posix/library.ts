import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { getSystemErrorMessage } from 'node:util';

/** A C function, called synchronously. Pointers are passed as buffers; integers come back as numbers. */
export type SystemCall = (...values: readonly (number | bigint | Uint8Array)[]) => number;

/** The C library of this process, with what differs between the platforms that we know. */
export interface SystemLibrary {
  readonly platform: 'linux' | 'darwin';
  readonly arch: 'x64' | 'arm64';
  /** Finds a function by its C declaration. `ssize_t` and `off_t` are to be written as `int64_t`. */
  bind(declaration: string): SystemCall;
  /** The errno of the last call; to be read before anything else is called. */
  errno(): number;
  /** The NUL-terminated string that starts at `address`. */
  stringAt(address: bigint): string;
}

/**
 * Loads koffi, which takes about 8 ms: hence on call, never at import.
 * Returns a sentence that says why where it can't be had; only 64-bit Linux and macOS have the layouts we know.
 */
export function loadLibrary(): SystemLibrary | string {
  const { platform, arch } = process;
  if (platform !== 'linux' && platform !== 'darwin') return `system calls are not known for ${platform}`;
  if (arch !== 'x64' && arch !== 'arm64') return `system calls are not known for ${platform} on ${arch}`;
  let koffi: typeof import('koffi');
  try {
    koffi = createRequire(import.meta.url)('koffi');
  } catch (error) {
    return `the package koffi, which makes system calls, could not be loaded: ${(error as Error).message}`;
  }
  const library = koffi.load(null);
  return {
    platform,
    arch,
    bind: (declaration) => library.func(declaration) as SystemCall,
    errno: () => koffi.errno(),
    stringAt: (address) => koffi.decode.string(address),
  };
}

/**
 * `bytes` as C wants a string: followed by NUL. Bytes that hold a NUL are refused with EINVAL, since the kernel would
 * see a shorter name than the caller checked.
 */
export function cString(bytes: Uint8Array): Buffer {
  if (bytes.includes(0)) throw systemError(constants.errno.EINVAL, 'name', Buffer.from(bytes));
  const terminated = Buffer.allocUnsafe(bytes.length + 1);
  terminated.set(bytes);
  terminated[bytes.length] = 0;
  return terminated;
}

/** An error of the shape that node:fs throws: `code`, negative `errno`, `syscall`, `path`. */
export function systemError(errno: number, syscall: string, path?: Buffer): NodeJS.ErrnoException {
  const code = errorName(errno);
  const subject = path === undefined ? '' : ` '${path.toString()}'`;
  const error: NodeJS.ErrnoException = new Error(
    `${code}: ${getSystemErrorMessage(-errno)}, ${syscall}${subject}`,
  );
  error.errno = -errno;
  error.code = code;
  error.syscall = syscall;
  if (path !== undefined) error.path = path.toString();
  return error;
}

function errorName(errno: number): string {
  for (const [name, number] of Object.entries(constants.errno)) {
    if (number === errno) return name;
  }
  return `E${errno}`;
}
