import type { FileType } from './backend.ts';

/**
 * Removals cost no fsync each, yet reach the disk in the order that matters. Whoever removes a snapshot, then the
 * packs that only it needed, must not find the snapshot back after a power cut and the packs gone. So before a file
 * of one type is removed, the directories in which files of other types were removed are synced.
 */
export interface Removals {
  /** To be called before a file of this type is removed. */
  before(type: FileType): Promise<void>;
  /** To be called after a file was removed from this directory. */
  after(type: FileType, directory: string): void;
  /** Makes all removals durable. */
  settle(): Promise<void>;
}

export function trackRemovals(syncDirectory: (directory: string) => Promise<void>): Removals {
  const unsynced = new Map<FileType, Set<string>>();

  async function sync(types: FileType[]): Promise<void> {
    for (const type of types) {
      for (const directory of unsynced.get(type) ?? []) {
        // Out of the set first: a removal that happens during the sync puts it in again.
        unsynced.get(type)?.delete(directory);
        try {
          await syncDirectory(directory);
        } catch (error) {
          unsynced.get(type)?.add(directory);
          throw error;
        }
      }
    }
  }

  return {
    before: (type) => sync([...unsynced.keys()].filter((other) => other !== type)),
    after: (type, directory) => {
      const directories = unsynced.get(type) ?? new Set();
      unsynced.set(type, directories.add(directory));
    },
    settle: () => sync([...unsynced.keys()]),
  };
}
