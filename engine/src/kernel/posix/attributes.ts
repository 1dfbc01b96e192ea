import { constants } from 'node:os';
import { cString, type SystemLibrary, systemError } from './library.ts';

/**
 * Extended attributes of the file itself: a symlink is not followed. POSIX ACLs are among them on Linux, as
 * `system.posix_acl_access` and `system.posix_acl_default`.
 */
export interface Attributes {
  /** The names, in the order of the file system; none where it has no attributes. */
  list(path: Buffer): Buffer[];
  /** The value; undefined where there is no such attribute. */
  get(path: Buffer, name: Buffer): Buffer | undefined;
  set(path: Buffer, name: Buffer, value: Uint8Array): void;
  remove(path: Buffer, name: Buffer): void;
}

/** The four calls, each as its platform spells it, answering a length or -1. */
interface AttributeCalls {
  list(path: Buffer, into: Buffer, size: number): number;
  get(path: Buffer, name: Buffer, into: Buffer, size: number): number;
  set(path: Buffer, name: Buffer, value: Buffer, size: number): number;
  remove(path: Buffer, name: Buffer): number;
}

/** Most files have no attribute and few have much: the kernel allocates what we offer, so offer little at first. */
const FIRST_OFFER = 1024;

export function openAttributes(library: SystemLibrary): Attributes {
  const calls = library.platform === 'linux' ? linuxCalls(library) : darwinCalls(library);
  const { ENOTSUP, ERANGE, ENODATA } = constants.errno;
  const noAttribute = library.platform === 'linux' ? ENODATA : 93; // macOS has ENOATTR for it
  let buffer = Buffer.alloc(FIRST_OFFER);

  /** Repeats `call` with a larger buffer while the answer does not fit; it may grow between two calls. */
  function read(call: (into: Buffer, size: number) => number): { length: number; errno: number } {
    for (;;) {
      const length = call(buffer, buffer.length);
      const errno = length < 0 ? library.errno() : 0;
      if (errno !== ERANGE) return { length, errno };
      const wanted = call(buffer, 0);
      if (wanted < 0) return { length: -1, errno: library.errno() };
      buffer = Buffer.alloc(Math.max(wanted, buffer.length) * 2);
    }
  }

  return {
    list(path) {
      const cPath = cString(path);
      const { length, errno } = read((into, size) => calls.list(cPath, into, size));
      if (length === 0 || errno === ENOTSUP) return [];
      if (length < 0) throw systemError(errno, 'llistxattr', path);
      return splitNames(buffer.subarray(0, length));
    },
    get(path, name) {
      const cPath = cString(path);
      const cName = cString(name);
      const { length, errno } = read((into, size) => calls.get(cPath, cName, into, size));
      if (errno === noAttribute || errno === ENOTSUP) return undefined;
      if (length < 0) throw systemError(errno, 'lgetxattr', path);
      return Buffer.from(buffer.subarray(0, length));
    },
    set(path, name, value) {
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      if (calls.set(cString(path), cString(name), bytes, bytes.length) < 0) {
        throw systemError(library.errno(), 'lsetxattr', path);
      }
    },
    remove(path, name) {
      if (calls.remove(cString(path), cString(name)) < 0)
        throw systemError(library.errno(), 'lremovexattr', path);
    },
  };
}

/** Copies the names out of `a\0b\0c\0`. */
function splitNames(list: Buffer): Buffer[] {
  const names: Buffer[] = [];
  for (let start = 0; start < list.length; ) {
    const end = list.indexOf(0, start);
    names.push(Buffer.from(list.subarray(start, end)));
    start = end + 1;
  }
  return names;
}

function linuxCalls(library: SystemLibrary): AttributeCalls {
  const set = library.bind(
    'int lsetxattr(const void *path, const void *name, const void *value, size_t size, int flags)',
  );
  return {
    list: library.bind('int64_t llistxattr(const void *path, void *list, size_t size)'),
    get: library.bind('int64_t lgetxattr(const void *path, const void *name, void *value, size_t size)'),
    set: (path, name, value, size) => set(path, name, value, size, 0),
    remove: library.bind('int lremovexattr(const void *path, const void *name)'),
  };
}

/** macOS has one family of calls, with XATTR_NOFOLLOW among the options and a position for resource forks. */
function darwinCalls(library: SystemLibrary): AttributeCalls {
  const noFollow = 1;
  const list = library.bind('int64_t listxattr(const void *path, void *list, size_t size, int options)');
  const get = library.bind(
    'int64_t getxattr(const void *path, const void *name, void *value, size_t size, uint32_t position, int options)',
  );
  const set = library.bind(
    'int setxattr(const void *path, const void *name, const void *value, size_t size, uint32_t position, int options)',
  );
  const remove = library.bind('int removexattr(const void *path, const void *name, int options)');
  return {
    list: (path, into, size) => list(path, into, size, noFollow),
    get: (path, name, into, size) => get(path, name, into, size, 0, noFollow),
    set: (path, name, value, size) => set(path, name, value, size, 0, noFollow),
    remove: (path, name) => remove(path, name, noFollow),
  };
}
