import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '@holdfast/engine';

/** The places of the story. Only what lies below a directory with our marker in it is ever removed. */
export interface Playground {
  /** Where the files are that are protected, lost and brought back: its `shop`. */
  readonly directory: string;
  readonly shop: string;
  readonly repository: string;
  /** Where an older point is brought back to. */
  readonly older: string;
  /** Removes one of the places above. */
  clear(place: 'shop' | 'repository' | 'older'): Promise<void>;
}

/** No secret: it is printed for whoever wants to look around afterwards. */
export const DEMO_PASSWORD = 'demo';

const MARKER = '.holdfast-demo';
const NOTE = 'Made by "holdfast demo", which removes and makes anew what is beside this file.\n';

/**
 * Prepares an empty playground. A directory that has something in it and no marker is somebody else's:
 * `target.not-empty`.
 */
export async function preparePlayground(directory: string): Promise<Playground> {
  await mkdir(directory, { recursive: true });
  const marker = join(directory, MARKER);
  if (!existsSync(marker) && (await readdir(directory)).length > 0) {
    throw new Failure(
      'target.not-empty',
      'the demo plays in a directory of its own, and this one is in use',
      {
        subject: directory,
        hint: 'Name an empty one, or one that is not there, with --directory.',
      },
    );
  }
  await writeFile(marker, NOTE);
  const playground: Playground = {
    directory,
    shop: join(directory, 'shop'),
    repository: join(directory, 'repository'),
    older: join(directory, 'older'),
    async clear(place) {
      if (!existsSync(marker)) {
        throw new Failure('target.unsafe', `${MARKER} has gone, so nothing is removed here`, {
          subject: directory,
        });
      }
      await rm(join(directory, place), { recursive: true, force: true });
    },
  };
  for (const place of ['shop', 'repository', 'older'] as const) await playground.clear(place);
  return playground;
}
