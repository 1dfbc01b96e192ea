import type { SystemLibrary } from './library.ts';

/** Tells the kernel what will be read, so that the disk works while we do. */
export interface Advice {
  /** The whole of an open file will be read soon. Returns at once; whether anything comes of it is the kernel's business. */
  willNeed(descriptor: number): void;
}

/** posix_fadvise(2); absent on macOS, which has no such call. */
export function openAdvice(library: SystemLibrary): Advice | undefined {
  if (library.platform !== 'linux') return undefined;
  const fadvise = library.bind(
    'int posix_fadvise(int descriptor, int64_t offset, int64_t length, int advice)',
  );
  return { willNeed: (descriptor) => void fadvise(descriptor, 0, 0, WILLNEED) };
}

const WILLNEED = 3;
