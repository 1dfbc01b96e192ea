import { stat } from 'node:fs/promises';
import path from 'node:path';
import { createLocal, type LocalBackend, openLocal } from '@holdfast/engine';
import { Refusal } from './refusal.ts';

/** The repositories below one directory. Each is opened once: the order of its removals rests on that. */
export interface Stores {
  open(repository: readonly string[]): Promise<LocalBackend>;
  create(repository: readonly string[]): Promise<void>;
  /** Makes what was removed durable. */
  close(): Promise<void>;
}

/** `root` is absolute; the parts of a repository's name were checked by `parseRoute`. */
export function storesBelow(root: string): Stores {
  const opened = new Map<string, Promise<LocalBackend>>();

  async function makeRoom(): Promise<void> {
    if (opened.size < MOST_OPENED) return;
    const [oldest] = opened;
    if (oldest === undefined) return;
    opened.delete(oldest[0]);
    await (await oldest[1]).close();
  }

  return {
    async open(repository) {
      const directory = path.join(root, ...repository);
      const known = opened.get(directory);
      if (known !== undefined) return await known;
      await makeRoom();
      const opening = openLocal({ path: directory });
      opened.set(directory, opening);
      return await opening;
    },
    async create(repository) {
      // When the root is gone a disk is not mounted: nothing must grow in the empty mount point.
      await stat(root).catch(() => {
        throw new Refusal(UNAVAILABLE, 'The directory of the repositories is not there.');
      });
      const directory = path.join(root, ...repository);
      await (await createLocal({ path: directory })).close();
      // Files that are made from now on have the modes that suit it.
      opened.delete(directory);
    },
    async close() {
      const stores = [...opened.values()];
      opened.clear();
      for (const store of stores) await (await store).close();
    },
  };
}

const MOST_OPENED = 256;
const UNAVAILABLE = 503;
