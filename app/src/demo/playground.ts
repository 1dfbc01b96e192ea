import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '@holdfast/engine';
import { stopLeftControlPlane } from './policy/left-control-plane.ts';
import { stopLeftServers } from './postgres/left-server.ts';

/** All that a story makes. */
const PLACES = [
  'shop',
  'older',
  'repository',
  'main',
  'offsite',
  'offsite-then',
  'offsite-unplugged',
  'password',
  'holdfast.yaml',
  'servers',
  'state',
] as const;

export type Place = (typeof PLACES)[number];

/** Where a story plays. Only what lies below a directory with our marker in it is ever removed. */
export interface Playground {
  readonly directory: string;
  place(name: Place): string;
  /** Removes a place, or only one thing in it. */
  clear(name: Place, inside?: string): Promise<void>;
}

/** No secret: it is printed for whoever wants to look around afterwards. */
export const DEMO_PASSWORD = 'demo';

const MARKER = '.holdfast-demo';
const NOTE = 'Made by "holdfast demo", which removes and makes anew what is beside this file.\n';

/**
 * Prepares an empty playground. A directory that has something in it and no marker is somebody else's:
 * `target.not-empty`. What a killed demo has left running there is stopped first.
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
    place: (name) => join(directory, name),
    async clear(name, inside = '') {
      if (!existsSync(marker)) {
        throw new Failure('target.unsafe', `${MARKER} has gone, so nothing is removed here`, {
          subject: directory,
        });
      }
      await rm(join(directory, name, inside), { recursive: true, force: true, maxRetries: 5 });
    },
  };
  await stopLeftControlPlane(playground.place('state'));
  await stopLeftServers(playground.place('servers'));
  for (const name of PLACES) await playground.clear(name);
  return playground;
}
